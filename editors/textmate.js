// Tokenises models by the TextMate grammar: every keyword, number, string, comment and sign of the
// text has its scope.

const fs = require("fs");
const path = require("path");
const oniguruma = require("vscode-oniguruma");
const { INITIAL, Registry, parseRawGrammar } = require("vscode-textmate");

const GRAMMAR = path.join(__dirname, "vscode/syntaxes/arenet.tmLanguage.json");

const KEYWORDS =
  "const|block|net|train|input|output|param|layer|freeze|limit|target|metric|return";

// What a text is made of, and the scope that each part needs.
const PARTS = [
  [/\/\/.*/y, "comment"],
  [/"(?:[^"\\]|\\.)*"/y, "string"],
  [new RegExp(`(?:${KEYWORDS})\\b(?!\\s*=)`, "y"), "keyword"],
  [/\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/y, "constant.numeric"],
  [/\|>|[=+*@]/y, "keyword.operator"],
  [/[A-Za-z_]\w*/y, ""],
  [/[^]/y, ""],
];

async function main() {
  const wasm = fs.readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm"));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length));
  const onigLib = Promise.resolve({
    createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
    createOnigString: (text) => new oniguruma.OnigString(text),
  });
  const loadGrammar = async () => parseRawGrammar(fs.readFileSync(GRAMMAR, "utf8"), GRAMMAR);
  const grammar = await new Registry({ onigLib, loadGrammar }).loadGrammar("source.arenet");
  let faults = 0;
  for (const file of process.argv.slice(2)) {
    let stack = INITIAL;
    fs.readFileSync(file, "utf8").split("\n").forEach((line, index) => {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
      stack = ruleStack;
      for (let at = 0; at < line.length; ) {
        const begins = ([pattern]) => {
          pattern.lastIndex = at;
          return pattern.test(line);
        };
        const [pattern, scope] = PARTS.find(begins);
        const end = pattern.lastIndex;
        const token = tokens.find((token) => token.startIndex <= at && at < token.endIndex);
        if (scope && !token.scopes.some((own) => own.startsWith(scope))) {
          const place = `${file}:${index + 1}:${at + 1}`;
          console.error(`${place}: \`${line.slice(at, end)}\` is no ${scope}`);
          faults += 1;
        }
        at = end;
      }
    });
  }
  console.log(`textmate: ${process.argv.length - 2} models, ${faults} faults`);
  process.exitCode = faults > 0 ? 1 : 0;
}

main();
