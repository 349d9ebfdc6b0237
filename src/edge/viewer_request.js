// What CloudFront does with each request, before it looks into its cache (CloudFront Functions, runtime 2.0).
//
// A URL's options become the rendition's own path: one picture has one place in the cache, however it was asked for.
//
//     /cats/rio.jpg?fit=cover&WIDTH=300&format=auto  →  /cats/rio.jpg/width=320,format=avif
//     /cats/rio.jpg?variant=thumbnail                →  /cats/rio.jpg/thumbnail
//
// The rules are those of image_processor/transformation.py and options.py, in the same order and with the same words;
// tests/edge/cases.json holds the two to one another. What is wrong with the options is answered here, with a 400.
//
// The build puts `const LADDER = [320, 640];` before this text, whose comments (on lines of their own) and indentation
// it takes out: 200 of CloudFront's 10,240 bytes are kept for that line. Only the runtime's subset of JavaScript is
// used, and outside of comments only ASCII, since CloudFormation makes question marks of the rest.

const MAX_SIDE = 8192;
const POSITIONS = [
    'center', 'top', 'right top', 'right', 'right bottom', 'bottom', 'left bottom', 'left', 'left top'
];
const DEFAULT_QUALITY = {jpeg: '80', webp: '80', avif: '60'};
// In pairs: the runtime doesn't keep the order of an object's names.
const COLOURS = (
    'aqua=00ffff,black=000000,blue=0000ff,fuchsia=ff00ff,gray=808080,green=008000,lime=00ff00,maroon=800000,' +
    'navy=000080,olive=808000,purple=800080,red=ff0000,silver=c0c0c0,teal=008080,transparent=00000000,' +
    'white=ffffff,yellow=ffff00'
).split(',').map(pair => pair.split('='));
// Of the 24 ways to turn and mirror, eight differ; these are the others, and which of the eight they are.
const SAME_TURNS = {
    'undefined both': ['180', undefined],
    '90 both': ['270', undefined],
    '180 both': [undefined, undefined],
    '270 both': ['90', undefined],
    '180 horizontal': [undefined, 'vertical'],
    '180 vertical': [undefined, 'horizontal'],
    '270 horizontal': ['90', 'vertical'],
    '270 vertical': ['90', 'horizontal']
};
// Parameters that are no options: those of our signed URLs, and, in any case, those of CloudFront's own.
const SIGNING = ['exp', 'sig', 'again'];
const RESERVED = /^(expires|policy|signature|key-pair-id|hash-algorithm)$/i;

// An option's `read` takes a text in lower case and returns it as it is written in a path, or '' for what is not
// `allowed`. What equals `standard` is left out there.
const option = (name, allowed, read, standard) => ({name: name, allowed: allowed, read: read, standard: standard});

// The runtime's expressions are Perl's, whose `$` also stands before a line break at the end.
const isWhole = (pattern, text) => pattern.test(text) && !text.includes('\n');

const numeric = (pattern, low, high) => text =>
    isWhole(pattern, text) && low <= Number(text) && Number(text) <= high ? String(Number(text)) : '';

const number = (name, low, high, standard) =>
    option(name, `${low} to ${high}`, numeric(/^[0-9]{1,9}$/, low, high), standard);

const share = (name, low, high, standard) => option(
    name,
    `${low} to ${high}, with at most two decimals`,
    numeric(/^[0-9]{1,4}(\.[0-9]{1,2})?$/, low, high),
    standard
);

const choice = (name, words, standard) =>
    option(name, words.join(', '), text => words.includes(text) ? text : '', standard);

const yesOrNo = name => choice(name, ['true', 'false'], 'false');

const colour = text => {
    const named = COLOURS.find(pair => pair[0] === text);
    let digits = named ? named[1] : text.replace(/^#/, '');
    if (!isWhole(/^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/, digits)) {
        return '';
    }
    if (digits.length < 6) {
        digits = digits.replace(/./g, '$&$&');
    }
    return digits.slice(6) === 'ff' ? digits.slice(0, 6) : digits;
};

const rectangle = text => {
    const numbers = text.split('_').map(Number);
    const isRight = isWhole(/^[0-9]{1,5}(_[0-9]{1,5}){3}$/, text) && numbers[2] && numbers[3];
    return isRight && Math.max.apply(null, numbers) <= 65535 ? numbers.join('_') : '';
};

const OPTIONS = [
    number('width', 1, MAX_SIDE),
    number('height', 1, MAX_SIDE),
    choice('fit', ['cover', 'contain', 'inside', 'outside', 'fill'], 'cover'),
    choice('position', POSITIONS.concat('entropy', 'attention'), 'center'),
    choice('format', ['jpeg', 'png', 'webp', 'avif', 'gif', 'auto'], 'auto'),
    number('quality', 1, 100),
    share('dpr', 1, 4, '1'),
    option('background', `3, 4, 6 or 8 hexadecimal digits, or ${COLOURS.map(pair => pair[0]).join(', ')}`, colour),
    choice('rotate', ['90', '180', '270']),
    choice('flip', ['horizontal', 'vertical', 'both']),
    option('crop', 'left_top_width_height, of 0 to 65535', rectangle),
    number('trim', 1, 254),
    share('blur', 0.3, 250),
    share('sharpen', 0.3, 10),
    yesOrNo('grayscale'),
    share('brightness', 0, 4, '1'),
    share('contrast', 0, 4, '1'),
    share('saturation', 0, 4, '1'),
    number('radius', 1, MAX_SIDE),
    yesOrNo('lossless'),
    number('max_bytes', 1000, 100000000),
    number('frames', 1, 10000),
    option(
        'watermark',
        "1 to 200 letters, digits, '.', '_', '-' and '~'",
        text => isWhole(/^[A-Za-z0-9._~-]{1,200}$/, text) ? text : ''
    ),
    choice('watermark_position', POSITIONS, 'right bottom'),
    number('watermark_opacity', 1, 100, '100'),
    number('watermark_scale', 1, 100, '25'),
    yesOrNo('enlarge')
];

// A wrong value as Python repeats it: in quotes, and cut at 80 characters.
const shown = text => {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const escaped = text.replace(quote === "'" ? /[\\']/g : /\\/g, '\\$&').replace(/\n/g, '\\n');
    const quoted = quote + escaped + quote;
    return quoted.length > 80 ? quoted.slice(0, 80) + '\u2026' : quoted;
};

// Paths, names and values come as they stand in the URL.
const decoded = text => {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        throw `${shown(text)} is not percent-encoded`;
    }
};

const unplussed = text => decoded(text.split('+').join(' '));

const twice = name => `option ${name} is given twice`;

// The query's names and values, ordered so that of two faults always the same is told.
const parametersOf = query => {
    const values = {};
    // A stray & may leave an empty one.
    Object.keys(query).filter(key => key || query[key].value).forEach(key => {
        const name = unplussed(key);
        // The prefix keeps a parameter by the name of __proto__ an ordinary one.
        if ((query[key].multiValue || []).length > 1 || `?${name}` in values) {
            throw twice(name.toLowerCase());
        }
        values[`?${name}`] = unplussed(query[key].value);
    });
    return Object.keys(values).sort().map(key => ({name: key.slice(1), value: values[key]}));
};

const read = parameters => {
    const values = {};
    parameters.forEach(parameter => {
        const name = parameter.name.toLowerCase();
        const known = OPTIONS.find(each => each.name === name);
        if (!known) {
            throw `there is no option ${shown(name)}; the options are ${OPTIONS.map(each => each.name).join(', ')}`;
        }
        if (name in values) {
            throw twice(name);
        }
        const text = name === 'watermark' ? parameter.value : parameter.value.toLowerCase();
        values[name] = known.read(text === 'jpg' && name === 'format' ? 'jpeg' : text);
        if (!values[name]) {
            throw `option ${name}: got ${shown(parameter.value)}, allowed: ${known.allowed}`;
        }
    });
    return values;
};

// The first of the formats that the browser asks for by name; to any or every image it says nothing.
const negotiated = accept => {
    const ranges = accept.toLowerCase().replace(/\s/g, '').split(',');
    const isAsked = name => ranges.some(range =>
        range.split(';')[0] === `image/${name}` && !/;q=0(\.0*)?(;|$)/.test(range));
    return isAsked('avif') ? 'avif' : isAsked('webp') ? 'webp' : 'auto';
};

const LENGTHS = ['width', 'height', 'radius'];

const foldDpr = values => {
    LENGTHS.filter(name => values[name]).forEach(name => {
        const pixels = Math.floor(values[name] * values.dpr + 0.5);
        if (pixels > MAX_SIDE) {
            throw `option ${name}: ${values[name]} \u00d7 dpr ${values.dpr} is ${pixels}, allowed: ${MAX_SIDE}`;
        }
        values[name] = pixels;
    });
    values.dpr = '1';
};

// The leading side goes up to the ladder's next rung, and the other lengths along, in whole numbers.
const roundUp = values => {
    const side = values.width || values.height;
    if (!side || !LADDER.length) {
        return;
    }
    const above = LADDER.filter(rung => rung >= side);
    const rung = above.length ? Math.min.apply(null, above) : Math.max.apply(null, LADDER);
    LENGTHS.filter(name => values[name]).forEach(name => {
        const scaled = Math.floor((2 * values[name] * rung + side) / (2 * side));
        values[name] = Math.min(Math.max(scaled, 1), MAX_SIDE);
    });
};

// The options that have no effect beside the others.
const idle = values => {
    const names = [];
    const sides = (values.width ? 1 : 0) + (values.height ? 1 : 0);
    const isExact = sides === 2 && ['cover', 'contain', 'fill'].includes(values.fit);
    const isContained = values.fit === 'contain';
    const isSmart = ['entropy', 'attention'].includes(values.position);
    if (sides < 2) {
        names.push('fit', 'position');
    }
    if ((values.fit !== 'cover' && !isContained) || (isContained && isSmart)) {
        names.push('position');
    }
    if (sides === 0 || isExact) {
        names.push('enlarge');
    }
    const kind = values.format;
    if (kind !== 'auto') {
        const keepsAll = values.lossless === 'true' && kind === 'webp';
        const quality = DEFAULT_QUALITY[kind];
        if (keepsAll || !quality || values.quality === quality) {
            names.push('quality');
        }
        if (kind !== 'webp') {
            names.push('lossless');
        }
        if (keepsAll || !quality) {
            names.push('max_bytes');
        }
        if (kind === 'jpeg' || kind === 'png') {
            names.push('frames');
        }
    }
    const background = values.background || '';
    if ((kind !== 'jpeg' && !(isExact && isContained)) || background.slice(6) === '00'
            || (kind === 'jpeg' && background === 'ffffff')) {
        names.push('background');
    }
    if (values.grayscale === 'true') {
        names.push('saturation');
    }
    if (!values.watermark) {
        names.push('watermark_position', 'watermark_opacity', 'watermark_scale');
    }
    return names;
};

// The canonical text of what was read.
const canonical = (given, accept) => {
    const values = {};
    OPTIONS.forEach(each => {
        values[each.name] = given[each.name] || each.standard;
    });
    if (given.format === 'auto') {
        values.format = negotiated(accept);
    }
    foldDpr(values);
    const turns = SAME_TURNS[`${values.rotate} ${values.flip}`];
    if (turns) {
        values.rotate = turns[0];
        values.flip = turns[1];
    }
    if (values.saturation === '0') {
        values.grayscale = 'true';
    }
    roundUp(values);
    const unused = idle(values);
    const parts = [];
    OPTIONS.forEach(each => {
        if (values[each.name] !== each.standard && !unused.includes(each.name)) {
            parts.push(`${each.name}=${values[each.name]}`);
        }
    });
    return parts.join(',') || 'format=auto';
};

// The name of the rendition that is asked for; '' if the path says it itself.
const renditionOf = (parameters, accept) => {
    const variant = parameters.find(each => each.name === 'variant');
    const options = parameters.filter(each => each !== variant && !SIGNING.includes(each.name) && !RESERVED.test(each.name));
    if (!variant) {
        return options.length ? canonical(read(options), accept) : '';
    }
    if (options.length) {
        throw `a variant has options of its own; leave out ${shown(options[0].name)}, or variant`;
    }
    if (!isWhole(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/, variant.value)) {
        throw `variant: got ${shown(variant.value)}, allowed: a name of 1 to 64 letters, digits, '-' and '_'`;
    }
    return variant.value;
};

const refused = (message, requestId) => ({
    statusCode: 400,
    headers: {
        'content-type': {value: 'application/json'},
        'cache-control': {value: 'public, max-age=60'},
        'access-control-allow-origin': {value: '*'}
    },
    body: JSON.stringify({error: {code: 'invalid-transformation', message: message, request_id: requestId}})
});

function handler(event) {
    const request = event.request;
    const headers = request.headers;
    try {
        const parameters = parametersOf(request.querystring);
        const rendition = renditionOf(parameters, headers.accept ? headers.accept.value : '');
        const written = parameters.map(each => `${encodeURIComponent(each.name)}=${encodeURIComponent(each.value)}`);
        // What the page's author wrote, and signed; never what a viewer says of it.
        delete headers['x-image-request'];
        if (written.length) {
            headers['x-image-request'] = {value: `${request.uri}?${written.join('&')}`};
        }
        // One spelling for each key, so that there is one place in the cache, and one to invalidate.
        request.uri = encodeURI(decoded(request.uri) + (rendition && `/${rendition}`)).replace(/[?#+]/g, encodeURIComponent);
    } catch (refusal) {
        if (typeof refusal !== 'string') {
            throw refusal;
        }
        return refused(refusal, event.context.requestId);
    }
    request.querystring = {};
    return request;
}
