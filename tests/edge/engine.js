// Runs the edge function for the tests. The first line of the input is its code as JSON; each other line is a ladder and
// an event, to which a line answers with what the function returned, or with the error it threw.
const readline = require('readline');
const vm = require('vm');

let code = null;
let handlers = new Map();

function handlerFor(ladder) {
    const line = `'use strict'; const LADDER = ${JSON.stringify(ladder)};`;
    if (!handlers.has(line)) {
        handlers = handlers.size < 50 ? handlers : new Map();
        handlers.set(line, vm.runInNewContext(`${line}\n${code}\nhandler`));
    }
    return handlers.get(line);
}

readline.createInterface({input: process.stdin}).on('line', line => {
    const message = JSON.parse(line);
    if (code === null) {
        code = message;
        return;
    }
    let answer;
    try {
        answer = {returned: handlerFor(message.ladder)(message.event)};
    } catch (error) {
        answer = {thrown: String(error && error.stack || error)};
    }
    console.log(JSON.stringify(answer));
});
