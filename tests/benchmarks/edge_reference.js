// The work with which the edge function is compared: it verifies a JSON web token of three claims by HMAC-SHA256, as
// functions at the edge often do. AWS measured 19 of 100 for such a function's compute utilization.
const KEY = 'an example key of 43 characters, not secret';

function decoded(part) {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
}

// Takes the same time wherever the texts differ.
function isSame(one, other) {
    let difference = one.length ^ other.length;
    for (let i = 0; i < one.length; i += 1) {
        difference |= one.charCodeAt(i) ^ other.charCodeAt(i);
    }
    return difference === 0;
}

function claimsOf(token) {
    const parts = token.split('.');
    if (parts.length !== 3) {
        throw 'a token has three parts';
    }
    const header = decoded(parts[0]);
    const claims = decoded(parts[1]);
    const signature = require('crypto').createHmac('sha256', KEY).update(`${parts[0]}.${parts[1]}`).digest('base64url');
    const now = Date.now() / 1000;
    if (header.alg !== 'HS256' || !isSame(signature, parts[2])) {
        throw 'the signature is wrong';
    }
    if ((claims.nbf && now < claims.nbf) || (claims.exp && now > claims.exp)) {
        throw 'the token is not valid at this time';
    }
    return claims;
}

function handler(event) {
    const request = event.request;
    if (!request.querystring.jwt) {
        return {statusCode: 401, statusDescription: 'Unauthorized'};
    }
    try {
        claimsOf(request.querystring.jwt.value);
    } catch (refusal) {
        return {statusCode: 401, statusDescription: 'Unauthorized'};
    }
    delete request.querystring.jwt;
    return request;
}
