// Minifies the edge function from standard input to standard output. edge_function.py runs it.
const fs = require('fs');
const {minify} = require('terser');

const OPTIONS = {
    ecma: 5,  // what is newer in the source stays, but terser adds nothing newer that CloudFront's runtime might lack
    toplevel: true,
    compress: {
        passes: 3,
        reduce_funcs: false,  // a function moved to where it is called would be created by each call
        top_retain: ['handler']
    },
    mangle: {reserved: ['handler']},  // CloudFront calls it by its name
    format: {ascii_only: true, max_line_len: 108}  // CloudFormation replaces other characters by question marks
};

minify(fs.readFileSync(0, 'utf8'), OPTIONS).then(
    result => process.stdout.write(`${result.code}\n`),
    error => {
        process.stderr.write(`${error.message} (line ${error.line})\n`);
        process.exit(1);
    }
);
