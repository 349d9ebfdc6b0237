// Runs in CloudFront for each request, before CloudFront reads its cache (CloudFront Functions, runtime 2.0).
//
// The options of a URL become the path of the rendition, so that each picture is cached once:
//
//     /cats/rio.jpg?fit=cover&WIDTH=300&format=auto  ->  /cats/rio.jpg/width=320,format=avif
//     /my%20cat.jpg?variant=thumbnail                ->  /my=20cat.jpg/thumbnail
//
// Nothing in such a path needs percent-encoding, since CloudFront signs requests to S3 and to a Function URL by two rules.
// The rules are those of image_processor/transformations/transformation.py and image_processor/urls/paths.py, with the same
// messages. Both are tested with one table of cases, tests/edge/cases.json. The response to a fault is a 400 by this function.
// A fault of the transformation is thrown as a text, any other as an object by `invalidRequest`.
//
// CloudFront limits the work of a function, and runs this file anew for each request. So nothing is built before it is
// needed, what is usual is recognized first, and the options are local variables, whose use costs a tenth of a property's.
// `make bench-edge` measures the work.
//
// `make edge` renews what is between two markers from options.py, and puts this file, minified, into templates/main.yaml.
// CloudFormation writes `const LADDER = [320, 640];` before it: of the 10,240 bytes that CloudFront allows, 200 are reserved
// for that line. Use only the runtime's subset of JavaScript, and outside of comments only ASCII, since CloudFormation
// replaces other characters by question marks. The runtime's regular expressions are Perl's, whose `$` also matches before a
// newline at the end: `(?!\n)` excludes that.

// <constants>
const NAMES = 'width, height, fit, position, format, quality, dpr, background, rotate, flip, crop, trim, blur, sharpen, grayscale, brightness, contrast, saturation, radius, lossless, max_bytes, frames, watermark, watermark_position, watermark_opacity, watermark_scale, enlarge';
const COLOURS = 'aqua, black, blue, fuchsia, gray, green, lime, maroon, navy, olive, purple, red, silver, teal, transparent, white, yellow';
const MAX_SIDE = 8192;
const EXACT_FITS = 'cover contain fill';
const POSITIONED_FITS = 'cover contain';
const SMART_FITS = 'cover';
const LETTERBOXED_FITS = 'contain';
const SMART_POSITIONS = 'entropy attention';
const LOSSLESS_FORMATS = 'webp';
const ANIMATED_FORMATS = 'webp avif gif';

function digitsOf(colour) {
    switch (colour) {
    case 'aqua': return '00ffff';
    case 'black': return '000000';
    case 'blue': return '0000ff';
    case 'fuchsia': return 'ff00ff';
    case 'gray': return '808080';
    case 'green': return '008000';
    case 'lime': return '00ff00';
    case 'maroon': return '800000';
    case 'navy': return '000080';
    case 'olive': return '808000';
    case 'purple': return '800080';
    case 'red': return 'ff0000';
    case 'silver': return 'c0c0c0';
    case 'teal': return '008080';
    case 'transparent': return '00000000';
    case 'white': return 'ffffff';
    case 'yellow': return 'ffff00';
    default: return colour[0] === '#' ? colour.slice(1) : colour;
    }
}

function defaultQuality(format) {
    switch (format) {
    case 'jpeg': return '80';
    case 'webp': return '80';
    case 'avif': return '60';
    default: return '';
    }
}

// The first of the formats that the browser names.
function negotiated(accept) {
    return accepts(accept, 'image/avif') ? 'avif' : accepts(accept, 'image/webp') ? 'webp' : '';
}
// </constants>
const MAX_PARAMETERS = 40;

// A wrong value as Python repeats it: in quotes, and cut at 80 characters.
function shown(text) {
    const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
    const quoted = quote + text.replace(quote === "'" ? /[\\']/g : /\\/g, '\\$&').replace(/\n/g, '\\n') + quote;
    return quoted.length > 80 ? quoted.slice(0, 80) + '\u2026' : quoted;
}

function invalidRequest(message) {
    return {code: 'invalid-request', message: message};
}

function wrong(what, text, allowed) {
    const hint = text.search(/, *[A-Za-z_]+=/) < 0 ? '' : '; in a URL, & joins the options';
    return `${what}: got ${shown(text)}, allowed: ${allowed}${hint}`;
}

// Whether this is a parameter of the stack's URLs that is not an option.
function isOwn(name) {
    return name.search(/^(v|exp|sig|again|variant)$(?!\n)/) === 0;
}

function twice(name) {
    return isOwn(name) ? invalidRequest(`parameter ${name} is given twice`) : `option ${name} is given twice`;
}

function unknown(name) {
    return `there is no option ${shown(name)}; the options are ${NAMES}`;
}

// Paths, names and values are encoded, as in the URL.
function decoded(text) {
    try {
        return decodeURIComponent(text);
    } catch (error) {
        throw invalidRequest(`${shown(text)} is not percent-encoded UTF-8; write %25 for a percent sign`);
    }
}

function unplussed(text) {
    return decoded(text.split('+').join(' '));
}

// The readers take a decoded value and return it as the canonical text has it.
function readWhole(name, text, least, greatest) {
    const number = +text;
    if (number >= least && number <= greatest) {
        if (text === '' + number && number % 1 === 0) {
            return text;
        }
        if (text.search(/^[0-9]{1,9}$(?!\n)/) === 0) {
            return '' + number;
        }
    }
    throw wrong(`option ${name}`, text, `${least} to ${greatest}`);
}

function readDecimal(name, text, least, greatest) {
    const number = +text;
    if (number >= least && number <= greatest) {
        // `| 0` cuts off decimals.
        if (text === '' + number && (number * 100 + 0.5 | 0) / 100 === number) {
            return text;
        }
        if (text.search(/^[0-9]{1,4}(\.[0-9]{1,2})?$(?!\n)/) === 0) {
            return '' + number;
        }
    }
    throw wrong(`option ${name}`, text, `${least} to ${greatest}, with at most two decimals`);
}

// The words are between spaces.
function readWord(name, text, words, aliases) {
    if (words.includes(' ' + text + ' ') && !text.includes(' ')) {
        return text;
    }
    const word = text.toLowerCase().replace(/ /g, '-');
    const meant = aliases && aliases[word] || word;
    if (words.includes(` ${meant} `)) {
        return meant;
    }
    throw wrong(`option ${name}`, text, words.slice(1, -1).replace(/ /g, ', '));
}

function readColour(name, text) {
    const digits = digitsOf(text.toLowerCase());
    if (digits.search(/^([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$(?!\n)/) < 0) {
        throw wrong(`option ${name}`, text, `3, 4, 6 or 8 hexadecimal digits, or ${COLOURS}`);
    }
    const all = digits.length < 6 ? digits.replace(/./g, '$&$&') : digits;
    return all.slice(6) === 'ff' ? all.slice(0, 6) : all;
}

function readRectangle(name, text) {
    if (text.search(/^((0|[1-9][0-9]{0,3})_){2}[1-9][0-9]{0,3}_[1-9][0-9]{0,3}$(?!\n)/) === 0) {
        return text;
    }
    const numbers = text.split('_').map(Number);
    const isRight = text.search(/^[0-9]{1,5}(_[0-9]{1,5}){3}$(?!\n)/) === 0 && numbers[2] && numbers[3];
    if (isRight && Math.max.apply(null, numbers) <= 65535) {
        return numbers.join('_');
    }
    throw wrong(`option ${name}`, text, 'left_top_width_height, of 0 to 65535');
}

function readKey(name, text) {
    if (text.search(/^[A-Za-z0-9._~-]{1,200}$(?!\n)/) < 0) {
        throw wrong(`option ${name}`, text, "1 to 200 letters, digits, '.', '_', '-' and '~'");
    }
    return text;
}

// Whether the Accept header names the type; */* and image/* name none.
function accepts(accept, type) {
    if ((',' + accept + ',').includes(',' + type + ',')) {
        return true;
    }
    const ranges = accept.toLowerCase();
    return ranges.includes(type) && ranges.replace(/\s/g, '').split(',').some(range =>
        range.split(';')[0] === type && !/;q=0(\.0*)?(;|$)/.test(range));
}

function timesDpr(name, length, dpr) {
    const pixels = length * dpr + 0.5 | 0;
    if (pixels > MAX_SIDE) {
        throw `option ${name}: ${length} \u00d7 dpr ${dpr} is ${pixels}, allowed: ${MAX_SIDE}`;
    }
    return length && pixels;
}

// The ladder's next side; above the whole ladder, its largest.
function rungOf(side) {
    let rung = 0;
    for (let i = LADDER.length - 1; i >= 0; i -= 1) {
        const each = LADDER[i];
        if (each < side ? each > rung : rung < side || each < rung) {
            rung = each;
        }
    }
    return rung;
}

// In integers, which are exact in both languages.
function scaled(length, rung, side) {
    const pixels = (2 * length * rung + side) / (2 * side) | 0;
    return length && (pixels < 1 ? 1 : pixels > MAX_SIDE ? MAX_SIDE : pixels);
}

// The second reading of a query: names are decoded, and options may be written in any case.
function decodedNames(query) {
    const named = Object.create(null);  // an object with a prototype would take the name __proto__ for it
    Object.keys(query).forEach(key => {
        const name = unplussed(key);
        if (named[name]) {
            throw twice(name.toLowerCase());
        }
        named[name] = query[key];
    });
    return named;
}

function foldedName(name, seen, variant) {
    const folded = name.toLowerCase();
    if (isOwn(name) || /^(expires|policy|signature|key-pair-id|hash-algorithm)$(?!\n)/.test(folded)) {
        return folded;
    }
    if (variant) {
        throw `a variant has its own options; leave out ${shown(name)}, or variant`;
    }
    if (isOwn(folded)) {
        throw unknown(folded);
    }
    if (seen[folded]) {
        throw twice(folded);
    }
    seen[folded] = true;
    return folded;
}

// The name of the rendition that the parameters request; '' if the path names it. Writes each parameter that may be signed
// in the place of its name.
function resolve(query, names, accept, isSecond) {
    // <options>
    let width = '', height = '', fit = 'cover', position = 'center', format = '', quality = '', dpr = '1',
        background = '', rotate = '', flip = '', crop = '', trim = '', blur = '', sharpen = '', grayscale = 'false',
        brightness = '1', contrast = '1', saturation = '1', radius = '', lossless = 'false', max_bytes = '',
        frames = '', watermark = '', watermark_position = 'right-bottom', watermark_opacity = '100',
        watermark_scale = '25', enlarge = 'false';
    // </options>
    const seen = isSecond && Object.create(null);
    const given = names.length;
    let variant = '', options = 0, written = 0, i, name, text, pair;
    for (i = 0; i < given; i += 1) {
        name = names[i];
        text = query[name].value;
        if (!name && !text) {  // of a superfluous &
            continue;
        }
        if (query[name].multiValue && query[name].multiValue.length > 1) {
            throw twice(name.toLowerCase());
        }
        pair = name + '=' + text;
        if (isSecond || encodeURIComponent(text) !== text) {
            text = unplussed(text);
            pair = `${encodeURIComponent(name)}=${encodeURIComponent(text)}`;
        }
        if (isSecond) {
            name = foldedName(name, seen, query.variant);
        }
        options += 1;
        switch (name) {
        // <cases>
        case 'width': width = readWhole(name, text, 1, 8192); break;
        case 'height': height = readWhole(name, text, 1, 8192); break;
        case 'fit': fit = readWord(name, text, ' cover contain inside outside fill '); break;
        case 'position':
            position = readWord(name, text, ' center top right-top right right-bottom bottom left-bottom left left-top entropy attention '); break;
        case 'format': format = readWord(name, text, ' jpeg png webp avif gif auto ', {jpg: 'jpeg'}); break;
        case 'quality': quality = readWhole(name, text, 1, 100); break;
        case 'dpr': dpr = readDecimal(name, text, 1, 4); break;
        case 'background': background = readColour(name, text); break;
        case 'rotate': rotate = readWord(name, text, ' 90 180 270 '); break;
        case 'flip': flip = readWord(name, text, ' horizontal vertical both '); break;
        case 'crop': crop = readRectangle(name, text); break;
        case 'trim': trim = readWhole(name, text, 1, 254); break;
        case 'blur': blur = readDecimal(name, text, 0.3, 250); break;
        case 'sharpen': sharpen = readDecimal(name, text, 0.3, 10); break;
        case 'grayscale': grayscale = readWord(name, text, ' true false '); break;
        case 'brightness': brightness = readDecimal(name, text, 0, 4); break;
        case 'contrast': contrast = readDecimal(name, text, 0, 4); break;
        case 'saturation': saturation = readDecimal(name, text, 0, 4); break;
        case 'radius': radius = readWhole(name, text, 1, 8192); break;
        case 'lossless': lossless = readWord(name, text, ' true false '); break;
        case 'max_bytes': max_bytes = readWhole(name, text, 1000, 100000000); break;
        case 'frames': frames = readWhole(name, text, 1, 10000); break;
        case 'watermark': watermark = readKey(name, text); break;
        case 'watermark_position':
            watermark_position = readWord(name, text, ' center top right-top right right-bottom bottom left-bottom left left-top '); break;
        case 'watermark_opacity': watermark_opacity = readWhole(name, text, 1, 100); break;
        case 'watermark_scale': watermark_scale = readWhole(name, text, 1, 100); break;
        case 'enlarge': enlarge = readWord(name, text, ' true false '); break;
        // </cases>
        case 'v':
            if (text.search(/^[A-Za-z0-9_-]{1,32}$(?!\n)/) < 0) {
                throw invalidRequest(wrong('parameter v', text, "1 to 32 letters, digits, '-' and '_'"));
            }
            options -= 1;
            continue;
        case 'variant':
            variant = text;
            if (text.search(/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$(?!\n)/) < 0) {
                throw invalidRequest(
                    wrong('parameter variant', text, "a name of 1 to 64 letters, digits, '-' and '_'"));
            }
            options -= 1;
            break;
        // Of the stack's signed URLs, and, in any case, of CloudFront's own.
        case 'exp': case 'sig': case 'again':
        case 'expires': case 'policy': case 'signature': case 'key-pair-id': case 'hash-algorithm':
            options -= 1;
            break;
        default:
            throw unknown(name);
        }
        names[written] = pair;
        written += 1;
    }
    names.length = written;
    if (variant && options) {
        throw 'a variant has its own options';
    }
    if (!options) {
        return variant;
    }

    if (format === 'auto') {
        format = negotiated(accept);
    }
    if (dpr !== '1') {
        width = timesDpr('width', width, dpr);
        height = timesDpr('height', height, dpr);
        radius = timesDpr('radius', radius, dpr);
    }
    // Eight of the 24 combinations of `rotate` and `flip` differ.
    if (flip === 'both') {
        rotate = ['180', '270', '', '90'][rotate / 90];
        flip = '';
    } else if (flip && rotate >= 180) {
        rotate = rotate === '270' ? '90' : '';
        flip = flip === 'vertical' ? 'horizontal' : 'vertical';
    }
    if (saturation === '0') {
        grayscale = 'true';
    }
    const side = +(width || height);
    const rung = side && rungOf(side);
    if (rung && rung !== side) {
        width = scaled(width, rung, side);
        height = scaled(height, rung, side);
        radius = scaled(radius, rung, side);
    }

    // What has no effect beside the others is left out, as if it had its default.
    const isExact = width && height && EXACT_FITS.includes(fit);
    if (!width || !height) {
        fit = 'cover';
        position = 'center';
    } else if (!(SMART_POSITIONS.includes(position) ? SMART_FITS : POSITIONED_FITS).includes(fit)) {
        position = 'center';
    }
    if (!side || isExact) {
        enlarge = 'false';
    }
    if (format) {
        const usual = defaultQuality(format);
        if (lossless === 'true' && !LOSSLESS_FORMATS.includes(format)) {
            lossless = 'false';
        }
        if (lossless === 'true' || !usual || quality === usual) {
            quality = '';
        }
        if (lossless === 'true' || !usual) {
            max_bytes = '';
        }
        if (frames && !ANIMATED_FORMATS.includes(format)) {
            frames = '';
        }
    }
    if (background && (background.slice(6) === '00' || (format === 'jpeg' ? background === 'ffffff' :
        !isExact || !LETTERBOXED_FITS.includes(fit)))) {
        background = '';
    }
    if (grayscale === 'true') {
        saturation = '1';
    }
    if (!watermark) {
        watermark_position = 'right-bottom';
        watermark_opacity = '100';
        watermark_scale = '25';
    }

    text = '';
    // <canonical>
    if (width) { text += ',width=' + width; }
    if (height) { text += ',height=' + height; }
    if (fit !== 'cover') { text += ',fit=' + fit; }
    if (position !== 'center') { text += ',position=' + position; }
    if (format) { text += ',format=' + format; }
    if (quality) { text += ',quality=' + quality; }
    if (background) { text += ',background=' + background; }
    if (rotate) { text += ',rotate=' + rotate; }
    if (flip) { text += ',flip=' + flip; }
    if (crop) { text += ',crop=' + crop; }
    if (trim) { text += ',trim=' + trim; }
    if (blur) { text += ',blur=' + blur; }
    if (sharpen) { text += ',sharpen=' + sharpen; }
    if (grayscale !== 'false') { text += ',grayscale=' + grayscale; }
    if (brightness !== '1') { text += ',brightness=' + brightness; }
    if (contrast !== '1') { text += ',contrast=' + contrast; }
    if (saturation !== '1') { text += ',saturation=' + saturation; }
    if (radius) { text += ',radius=' + radius; }
    if (lossless !== 'false') { text += ',lossless=' + lossless; }
    if (max_bytes) { text += ',max_bytes=' + max_bytes; }
    if (frames) { text += ',frames=' + frames; }
    if (watermark) { text += ',watermark=' + watermark; }
    if (watermark_position !== 'right-bottom') { text += ',watermark_position=' + watermark_position; }
    if (watermark_opacity !== '100') { text += ',watermark_opacity=' + watermark_opacity; }
    if (watermark_scale !== '25') { text += ',watermark_scale=' + watermark_scale; }
    if (enlarge !== 'false') { text += ',enlarge=' + enlarge; }
    // </canonical>
    return text.slice(1) || 'format=auto';
}

// A part of a path between slashes: as percent-encoded, with = in place of %, but more characters are encoded.
function escaped(part) {
    return part === '.' || part === '..' ? part.replace(/\./g, '=2E') :
        encodeURIComponent(part).replace(/[!'()*~]/g, sign =>
            `=${{'!': '21', "'": '27', '(': '28', ')': '29', '*': '2A', '~': '7E'}[sign]}`).replace(/%/g, '=');
}

// The path of the rendition. Without options, the last part of the URL's path is its name, in which release 1.0 allowed a
// space. In the key, a slash after a slash or at an end is escaped too.
function pathOf(uri, rendition) {
    if (rendition && uri.search(/^(?:\/[\w-][\w.-]*)+$(?!\n)/) === 0) {
        return uri + '/' + rendition;
    }
    if (!rendition && isUsual(uri)) {
        return uri;
    }
    const path = decoded(uri).slice(1);
    const slash = path.lastIndexOf('/');
    const name = rendition || escaped(path.slice(slash + 1).replace(/ /g, '-'))
        .replace(/=(3D|2C|7E)/g, sign => decodeURIComponent(`%${sign.slice(1)}`));
    const parts = (rendition ? path : path.slice(0, Math.max(slash, 0))).split('/');
    const key = parts.map(escaped).reduce((start, part, index) =>
        start + (parts[index - 1] && (part || index < parts.length - 1) ? '/' : '=2F') + part);
    return key ? `/${key}/${name}` : `/${name}`;
}

// Whether a path can be spelled in one way only, and each character of it may stand in the path of a rendition.
function isUsual(uri) {
    return uri.search(/^(?:\/[\w-][\w.-]*)+(?:[~=,][\w.~=,-]*)?$(?!\n)/) === 0;
}

function rewrite(request, names) {
    if (names.length > MAX_PARAMETERS) {
        throw invalidRequest(`got ${names.length} parameters, allowed: ${MAX_PARAMETERS}`);
    }
    const headers = request.headers;
    const accept = headers.accept ? headers.accept.value : '';
    let query = request.querystring;
    let written = names;
    let rendition = '';
    try {
        rendition = resolve(query, written, accept, false);
    } catch (refusal) {
        // Sorted, so that of two faults always the same one is reported.
        query = decodedNames(query);
        written = Object.keys(query).sort();
        rendition = resolve(query, written, accept, true);
    }
    if (written.length) {
        headers['x-image-request'] = {value: request.uri + '?' + written.join('&')};
    }
    // Each rendition has one path, so that it is cached once, and one path is invalidated.
    request.uri = pathOf(request.uri, rendition);
    // The version of the source is a part of the cache key alone.
    request.querystring = query.v ? {v: {value: unplussed(query.v.value)}} : {};
}

function refused(code, message, requestId) {
    return {
        statusCode: 400,
        headers: {
            'content-type': {value: 'application/json'},
            'cache-control': {value: 'public, max-age=60'},
            'access-control-allow-origin': {value: '*'}
        },
        body: JSON.stringify({error: {code: code, message: message, request_id: requestId}})
    };
}

function handler(event) {
    const request = event.request;
    const names = Object.keys(request.querystring);
    // The URL that the page's author wrote and signed is set by `rewrite`. A viewer's header of that name is not passed on.
    delete request.headers['x-image-request'];
    if (!names.length && isUsual(request.uri)) {
        return request;
    }
    try {
        rewrite(request, names);
    } catch (refusal) {
        const requestId = event.context.requestId;
        if (typeof refusal === 'string') {
            return refused('invalid-transformation', refusal, requestId);
        }
        if (refusal.code) {
            return refused(refusal.code, refusal.message, requestId);
        }
        throw refusal;
    }
    return request;
}
