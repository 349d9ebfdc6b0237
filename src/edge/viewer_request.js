// Runs in CloudFront for each request, before CloudFront reads its cache (CloudFront Functions, runtime 2.0).
//
// The options of a URL become the path of the rendition, so that each picture is cached once:
//
//     /cats/rio.jpg?fit=cover&WIDTH=300&format=auto  ->  /cats/rio.jpg/width=320,format=avif
//     /my%20cat.jpg?variant=thumbnail                ->  /my=20cat.jpg/thumbnail
//
// Nothing in such a path needs percent-encoding, since CloudFront signs requests to S3 and to a Function URL by two rules.
// The rules are those of image_processor/transformations/transformation.py, in the same order and with the same
// messages. Both are tested with one table of cases, tests/edge/cases.json. The constants come from options.py. The
// response to a fault in the options is a 400 by this function.
//
// `make edge` renews the constants and puts this file, minified, into templates/main.yaml. CloudFormation writes
// `const LADDER = [320, 640];` before it: of the 10,240 bytes that CloudFront allows, 200 are reserved for that line.
// Use only the runtime's subset of JavaScript, and outside of comments only ASCII, since CloudFormation replaces other
// characters by question marks.

// <constants>
// Every option, in the order of the canonical text.
const NAMES = [
    'width', 'height', 'fit', 'position', 'format', 'quality', 'dpr', 'background', 'rotate', 'flip', 'crop', 'trim',
    'blur', 'sharpen', 'grayscale', 'brightness', 'contrast', 'saturation', 'radius', 'lossless', 'max_bytes', 'frames',
    'watermark', 'watermark_position', 'watermark_opacity', 'watermark_scale', 'enlarge'
];
// The options that are numbers: the least and the greatest value.
const WHOLE_NUMBERS = {
    width: [1, 8192], height: [1, 8192], quality: [1, 100], trim: [1, 254], radius: [1, 8192],
    max_bytes: [1000, 100000000], frames: [1, 10000], watermark_opacity: [1, 100], watermark_scale: [1, 100]
};
const DECIMALS = {
    dpr: [1, 4], blur: [0.3, 250], sharpen: [0.3, 10], brightness: [0, 4], contrast: [0, 4], saturation: [0, 4]
};
// The options that are words: the words, and other ways to write one.
const WORDS = {
    fit: ['cover', 'contain', 'inside', 'outside', 'fill'],
    position: ['center', 'top', 'right-top', 'right', 'right-bottom', 'bottom', 'left-bottom', 'left', 'left-top', 'entropy', 'attention'],
    format: ['jpeg', 'png', 'webp', 'avif', 'gif', 'auto'], rotate: ['90', '180', '270'],
    flip: ['horizontal', 'vertical', 'both'], grayscale: ['true', 'false'], lossless: ['true', 'false'],
    watermark_position: ['center', 'top', 'right-top', 'right', 'right-bottom', 'bottom', 'left-bottom', 'left', 'left-top'],
    enlarge: ['true', 'false']
};
const ALIASES = {
    'format=jpg': 'jpeg'
};
// The other options: how they are read, and what a message says is allowed.
const KINDS = {
    background: 'colour', crop: 'rectangle', watermark: 'key'
};
const ALLOWED = {
    background: '3, 4, 6 or 8 hexadecimal digits, or aqua, black, blue, fuchsia, gray, green, lime, maroon, navy, olive, purple, red, silver, teal, transparent, white, yellow',
    crop: 'left_top_width_height, of 0 to 65535', watermark: "1 to 200 letters, digits, '.', '_', '-' and '~'"
};
const COLOUR_NAMES = [
    'aqua', 'black', 'blue', 'fuchsia', 'gray', 'green', 'lime', 'maroon', 'navy', 'olive', 'purple', 'red', 'silver',
    'teal', 'transparent', 'white', 'yellow'
];
const COLOUR_DIGITS = [
    '00ffff', '000000', '0000ff', 'ff00ff', '808080', '008000', '00ff00', '800000', '000080', '808000', '800080',
    'ff0000', 'c0c0c0', '008080', '00000000', 'ffffff', 'ffff00'
];
// What the canonical text leaves out.
const DEFAULTS = {
    fit: 'cover', position: 'center', dpr: '1', grayscale: 'false', brightness: '1', contrast: '1', saturation: '1',
    lossless: 'false', watermark_position: 'right-bottom', watermark_opacity: '100', watermark_scale: '25',
    enlarge: 'false'
};
// What the rules below need to know of single options and values.
const MAX_SIDE = 8192;
const LENGTHS = ['width', 'height', 'radius'];
const EXACT_FITS = ['cover', 'contain', 'fill'];
const POSITIONED_FITS = ['cover', 'contain'];
const SMART_FITS = ['cover'];
const LETTERBOXED_FITS = ['contain'];
const SMART_POSITIONS = ['entropy', 'attention'];
const DEFAULT_QUALITY = {
    jpeg: '80', webp: '80', avif: '60'
};
const LOSSLESS_FORMATS = ['webp'];
const ANIMATED_FORMATS = ['webp', 'avif', 'gif'];
const AUTO_FORMATS = ['avif', 'webp'];
const SAME_ORIENTATIONS = {
    ' both': ['180', ''], '90 both': ['270', ''], '180 both': ['', ''], '270 both': ['90', ''],
    '180 horizontal': ['', 'vertical'], '180 vertical': ['', 'horizontal'], '270 horizontal': ['90', 'vertical'],
    '270 vertical': ['90', 'horizontal']
};
// </constants>

// Parameters that are no options: those of the stack's signed URLs, the version of the source, which is a part of the
// cache key alone, and, in any case, those of CloudFront's own signed URLs.
const SIGNING = ['exp', 'sig', 'again'];
const VERSION = 'v';
const VERSIONS = "1 to 32 letters, digits, '-' and '_'";
const RESERVED = /^(expires|policy|signature|key-pair-id|hash-algorithm)$/i;

// The runtime's regular expressions are Perl's, whose `$` also matches before a newline at the end.
const isWhole = (pattern, text) => pattern.test(text) && !text.includes('\n');

// The readers take a text in lower case and return it as the canonical text has it, or '' for what is not allowed.
const readNumber = (pattern, range, text) =>
    isWhole(pattern, text) && range[0] <= Number(text) && Number(text) <= range[1] ? String(Number(text)) : '';

const readColour = text => {
    let digits = COLOUR_DIGITS[COLOUR_NAMES.indexOf(text)] || text.replace(/^#/, '');
    if (!isWhole(/^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/, digits)) {
        return '';
    }
    if (digits.length < 6) {
        digits = digits.replace(/./g, '$&$&');
    }
    return digits.slice(6) === 'ff' ? digits.slice(0, 6) : digits;
};

const readRectangle = text => {
    const numbers = text.split('_').map(Number);
    const isRight = isWhole(/^[0-9]{1,5}(_[0-9]{1,5}){3}$/, text) && numbers[2] && numbers[3];
    return isRight && Math.max.apply(null, numbers) <= 65535 ? numbers.join('_') : '';
};

const readKey = text => isWhole(/^[A-Za-z0-9._~-]{1,200}$/, text) ? text : '';

const readValue = (name, given) => {
    const text = KINDS[name] === 'key' ? given : given.toLowerCase();
    if (WORDS[name]) {
        const hyphenated = text.replace(/ /g, '-');
        const word = ALIASES[`${name}=${hyphenated}`] || hyphenated;
        return WORDS[name].includes(word) ? word : '';
    }
    if (WHOLE_NUMBERS[name]) {
        return readNumber(/^[0-9]{1,9}$/, WHOLE_NUMBERS[name], text);
    }
    if (DECIMALS[name]) {
        return readNumber(/^[0-9]{1,4}(\.[0-9]{1,2})?$/, DECIMALS[name], text);
    }
    const kind = KINDS[name];
    return kind === 'colour' ? readColour(text) : kind === 'rectangle' ? readRectangle(text) : readKey(text);
};

const allowed = name => {
    if (WORDS[name]) {
        return WORDS[name].join(', ');
    }
    const range = WHOLE_NUMBERS[name] || DECIMALS[name];
    return range ? range.join(' to ') + (DECIMALS[name] ? ', with at most two decimals' : '') : ALLOWED[name];
};

// A wrong value as Python repeats it: in quotes, and cut at 80 characters.
const shown = text => {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const escaped = text.replace(quote === "'" ? /[\\']/g : /\\/g, '\\$&').replace(/\n/g, '\\n');
    const quoted = quote + escaped + quote;
    return quoted.length > 80 ? quoted.slice(0, 80) + '\u2026' : quoted;
};

// Paths, names and values are encoded, as in the URL.
const decoded = text => {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        throw `${shown(text)} is not percent-encoded`;
    }
};

const unplussed = text => decoded(text.split('+').join(' '));

const twice = name => name === VERSION ? `${VERSION} is given twice, allowed: once, ${VERSIONS}` : `option ${name} is given twice`;

// The query's names and values, sorted so that of two faults always the same one is reported.
const parametersOf = query => {
    const values = {};
    // A superfluous & gives an empty one.
    Object.keys(query).filter(key => key || query[key].value).forEach(key => {
        const name = unplussed(key);
        // The prefix makes a parameter by the name of __proto__ an ordinary one.
        if ((query[key].multiValue || []).length > 1 || `?${name}` in values) {
            throw twice(name.toLowerCase());
        }
        values[`?${name}`] = unplussed(query[key].value);
    });
    return Object.keys(values).sort().map(key => ({name: key.slice(1), value: values[key]}));
};

// The canonical values of the options that are given, by their names.
const read = parameters => {
    const values = {};
    parameters.forEach(parameter => {
        const name = parameter.name.toLowerCase();
        if (!NAMES.includes(name)) {
            throw `there is no option ${shown(name)}; the options are ${NAMES.join(', ')}`;
        }
        if (values[name]) {
            throw twice(name);
        }
        values[name] = readValue(name, parameter.value);
        if (!values[name]) {
            throw `option ${name}: got ${shown(parameter.value)}, allowed: ${allowed(name)}`;
        }
    });
    return values;
};

// The first of the formats that the browser names in its Accept header; */* and image/* name none.
const negotiated = accept => {
    const ranges = accept.toLowerCase().replace(/\s/g, '').split(',');
    return AUTO_FORMATS.find(name => ranges.some(range =>
        range.split(';')[0] === `image/${name}` && !/;q=0(\.0*)?(;|$)/.test(range))) || 'auto';
};

const foldDpr = values => {
    const dpr = values.dpr || '1';
    LENGTHS.filter(name => values[name]).forEach(name => {
        const pixels = Math.floor(values[name] * dpr + 0.5);
        if (pixels > MAX_SIDE) {
            throw `option ${name}: ${values[name]} \u00d7 dpr ${dpr} is ${pixels}, allowed: ${MAX_SIDE}`;
        }
        values[name] = pixels;
    });
    values.dpr = '';
};

const normalizeOrientation = values => {
    const same = SAME_ORIENTATIONS[`${values.rotate || ''} ${values.flip || ''}`];
    if (same) {
        values.rotate = same[0];
        values.flip = same[1];
    }
};

// The leading side is rounded up to the ladder's next side, and the other lengths are scaled with it, in integers.
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

// Leaves out the options that have no effect beside the others.
const removeIdle = values => {
    const idle = [];
    const fit = values.fit || DEFAULTS.fit;
    const sides = (values.width ? 1 : 0) + (values.height ? 1 : 0);
    const isExact = sides === 2 && EXACT_FITS.includes(fit);
    if (sides < 2) {
        idle.push('fit', 'position');
    }
    if (!(SMART_POSITIONS.includes(values.position) ? SMART_FITS : POSITIONED_FITS).includes(fit)) {
        idle.push('position');
    }
    if (sides === 0 || isExact) {
        idle.push('enlarge');
    }
    const format = values.format;
    if (format === 'auto') {
        idle.push('format');
    } else if (format) {
        const isLossless = values.lossless === 'true' && LOSSLESS_FORMATS.includes(format);
        const quality = DEFAULT_QUALITY[format];
        if (isLossless || !quality || values.quality === quality) {
            idle.push('quality');
        }
        if (!LOSSLESS_FORMATS.includes(format)) {
            idle.push('lossless');
        }
        if (isLossless || !quality) {
            idle.push('max_bytes');
        }
        if (!ANIMATED_FORMATS.includes(format)) {
            idle.push('frames');
        }
    }
    const background = values.background || '';
    if ((format !== 'jpeg' && !(isExact && LETTERBOXED_FITS.includes(fit))) || background.slice(6) === '00'
            || (format === 'jpeg' && background === 'ffffff')) {
        idle.push('background');
    }
    if (values.grayscale === 'true') {
        idle.push('saturation');
    }
    if (!values.watermark) {
        idle.push('watermark_position', 'watermark_opacity', 'watermark_scale');
    }
    idle.forEach(name => {
        values[name] = '';
    });
};

// The canonical text of the options that are given.
const canonical = (values, accept) => {
    if (values.format === 'auto') {
        values.format = negotiated(accept);
    }
    foldDpr(values);
    normalizeOrientation(values);
    if (values.saturation === '0') {
        values.grayscale = 'true';
    }
    roundUp(values);
    removeIdle(values);
    const names = NAMES.filter(name => values[name] && values[name] !== DEFAULTS[name]);
    return names.map(name => `${name}=${values[name]}`).join(',') || 'format=auto';
};

// The name of the rendition that the query requests; '' if the path names it.
const renditionOf = (parameters, accept) => {
    const variant = parameters.find(each => each.name === 'variant');
    const options = parameters.filter(each =>
        each !== variant && !SIGNING.includes(each.name) && !RESERVED.test(each.name));
    if (!variant) {
        return options.length ? canonical(read(options), accept) : '';
    }
    if (options.length) {
        throw `a variant has its own options; leave out ${shown(options[0].name)}, or variant`;
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

// The version of the source, as the only parameter that CloudFront gets; usually none.
const versionOf = parameters => {
    const version = parameters.find(each => each.name === VERSION);
    if (version && !isWhole(/^[A-Za-z0-9_-]{1,32}$/, version.value)) {
        throw `${VERSION}: got ${shown(version.value)}, allowed: ${VERSIONS}`;
    }
    return version ? {v: {value: version.value}} : {};
};

// A part of a path between slashes: as percent-encoded, with = in place of %, but more characters are encoded.
const escaped = part => part === '.' || part === '..' ? part.replace(/\./g, '=2E') :
    encodeURIComponent(part).replace(/[!'()*~]/g, sign =>
        `=${{'!': '21', "'": '27', '(': '28', ')': '29', '*': '2A', '~': '7E'}[sign]}`).replace(/%/g, '=');

// A source's key as paths have it, see image_processor/urls/paths.py: a slash after a slash or at an end is encoded too.
const escapedKey = key => key.split('/').map(escaped).reduce((path, part, index, parts) =>
    path + (parts[index - 1] && (part || index < parts.length - 1) ? '/' : '=2F') + part);

// The path of the rendition. Without options, the last part of the URL's path is its name. A space in it was allowed by
// release 1.0.
const pathOf = (uri, rendition) => {
    const path = decoded(uri).slice(1);
    const slash = path.lastIndexOf('/');
    const key = rendition ? path : path.slice(0, Math.max(slash, 0));
    const name = rendition || escaped(path.slice(slash + 1).replace(/ /g, '-'))
        .replace(/=(3D|2C|7E)/g, sign => decodeURIComponent(`%${sign.slice(1)}`));
    return key ? `/${escapedKey(key)}/${name}` : `/${name}`;
};

function handler(event) {
    const request = event.request;
    const headers = request.headers;
    // The URL that the page's author wrote and signed is set below. A viewer's header of that name is not passed on.
    delete headers['x-image-request'];
    // Most requests have no query, and a path that can be spelled in one way only.
    if (!Object.keys(request.querystring).length
            && isWhole(/^(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*\/[A-Za-z0-9_-][A-Za-z0-9._~,=-]*$/, request.uri)) {
        return request;
    }
    try {
        const parameters = parametersOf(request.querystring);
        const version = versionOf(parameters);
        const signed = parameters.filter(each => each.name !== VERSION);
        const rendition = renditionOf(signed, headers.accept ? headers.accept.value : '');
        if (signed.length) {
            const written = signed.map(each => `${encodeURIComponent(each.name)}=${encodeURIComponent(each.value)}`);
            headers['x-image-request'] = {value: `${request.uri}?${written.join('&')}`};
        }
        // Each rendition has one path, so that it is cached once, and one path is invalidated.
        request.uri = pathOf(request.uri, rendition);
        request.querystring = version;
    } catch (refusal) {
        if (typeof refusal !== 'string') {
            throw refusal;
        }
        return refused(refusal, event.context.requestId);
    }
    return request;
}
