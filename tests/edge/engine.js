// Runs the edge function for the tests. The first line of the input is a list of codes as JSON; each other line is a
// ladder and an event. The output is a line with what each code returned, or the error that it threw.
const readline = require('readline');
const vm = require('vm');

let codes = null;
let handlers = new Map();

function handlersFor(ladder) {
    const line = `'use strict'; const LADDER = ${JSON.stringify(ladder)};`;
    if (!handlers.has(line)) {
        handlers = handlers.size < 50 ? handlers : new Map();
        handlers.set(line, codes.map(code => vm.runInNewContext(`${line}\n${code}\nhandler`)));
    }
    return handlers.get(line);
}

function answer(handler, event) {
    try {
        return {returned: handler(event)};
    } catch (error) {
        return {thrown: String(error && error.stack || error)};
    }
}

readline.createInterface({input: process.stdin}).on('line', line => {
    const message = JSON.parse(line);
    if (codes === null) {
        codes = message;
        return;
    }
    // The function changes the event, so each code gets its own.
    const answers = handlersFor(message.ladder).map(handler => answer(handler, structuredClone(message.event)));
    console.log(JSON.stringify(answers));
});
