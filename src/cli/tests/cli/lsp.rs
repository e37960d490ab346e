//! Sessions with the language server, as an editor has them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout};

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

const URI: &str = "file:///m.net";
const TEXT: &str = "\
const H = 4 // 😀
block twice(v) {
    w = v |> dense(H)
    return w * 2
}
net m {
    input x: [N, 2]
    h = x |> twice |> tanh
    output y = h |> dense(1)
}
train {
    target t: [N, 1]
    loss = mse(y, t)
    metric mae(y, t)
    optimizer = adam(lr: 0.01)
}
";

/// An editor with its server.
struct Editor {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: u64,
    /// What the server has said unasked.
    told: Vec<Value>,
}

impl Editor {
    fn start(test: &str) -> Editor {
        let mut server = Folder::new(test).piped("lsp");
        let (input, output) = (server.stdin.take(), server.stdout.take().unwrap());
        Editor { server, input, output: BufReader::new(output), requests: 0, told: Vec::new() }
    }

    /// Begins a session, with an editor that counts columns in one of these units.
    fn opened(test: &str, encodings: Value) -> (Editor, Value) {
        let mut editor = Editor::start(test);
        let capabilities = json!({ "general": { "positionEncodings": encodings } });
        let started = editor.ask("initialize", json!({ "capabilities": capabilities }));
        editor.say("initialized", json!({}));
        (editor, started["capabilities"].clone())
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        self.write(&format!("Content-Length: {}\r\n\r\n{text}", text.len()));
    }

    fn write(&mut self, text: &str) {
        let input = self.input.as_mut().unwrap();
        input.write_all(text.as_bytes()).unwrap();
        input.flush().unwrap();
    }

    fn say(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn next(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).unwrap() > 0, "the server has gone");
            match line.trim_end().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().unwrap(),
                _ => break,
            }
        }
        let mut bytes = vec![0; length];
        self.output.read_exact(&mut bytes).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }

    /// Asks, and gives the whole answer.
    fn answer(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.next();
            match message["id"] == json!(id) {
                true => return message,
                false => self.told.push(message),
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// What a request is refused with.
    fn refused(&mut self, method: &str, params: Value) -> String {
        let answer = self.answer(method, params);
        answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}")).to_string()
    }

    fn open(&mut self, text: &str) {
        let document = json!({ "uri": URI, "languageId": "arenet", "version": 1, "text": text });
        self.say("textDocument/didOpen", json!({ "textDocument": document }));
    }

    fn change(&mut self, version: u64, changes: Value) {
        let document = json!({ "uri": URI, "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.say("textDocument/didChange", params);
    }

    /// The next diagnostics.
    fn diagnostics(&mut self) -> Value {
        let message = if self.told.is_empty() { self.next() } else { self.told.remove(0) };
        assert_eq!(message["method"], "textDocument/publishDiagnostics");
        assert_eq!(message["params"]["uri"], URI);
        message["params"].clone()
    }

    /// A request about a place of a document.
    fn at(&mut self, method: &str, line: u64, character: u64, more: Value) -> Value {
        let mut params = at(line, character);
        params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.ask(&format!("textDocument/{method}"), params)
    }

    /// Ends the session as an editor does; what the server exits with.
    fn close(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.say("exit", Value::Null);
        self.server.wait().unwrap().code().unwrap()
    }
}

fn document() -> Value {
    json!({ "textDocument": { "uri": URI } })
}

fn at(line: u64, character: u64) -> Value {
    json!({ "textDocument": { "uri": URI }, "position": position(line, character) })
}

fn position(line: u64, character: u64) -> Value {
    json!({ "line": line, "character": character })
}

fn range(line: u64, from: u64, to: u64) -> Value {
    json!({ "start": position(line, from), "end": position(line, to) })
}

fn whole() -> Value {
    json!({ "textDocument": { "uri": URI },
            "range": { "start": position(0, 0), "end": position(99, 0) } })
}

/// The labels of what may stand at a place.
fn labels(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect()
}

/// The text after edits of it, whose columns are bytes.
fn edited(text: &str, edits: &Value) -> String {
    let mut lines = vec![0];
    lines.extend(text.match_indices('\n').map(|(at, _)| at + 1));
    let offset = |place: &Value| {
        let [line, column] = ["line", "character"].map(|key| place[key].as_u64().unwrap() as usize);
        lines[line] + column
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| {
            let [start, end] = ["start", "end"].map(|key| offset(&edit["range"][key]));
            (start, end, edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort();
    let mut text = text.to_string();
    for (start, end, new) in edits.into_iter().rev() {
        text.replace_range(start..end, new);
    }
    text
}

#[test]
fn mistakes_are_told_as_one_types() {
    let (mut editor, can) = Editor::opened("lsp-told", json!(["utf-16"]));
    assert_eq!(can["positionEncoding"], "utf-16");
    editor.open(TEXT);
    assert_eq!(editor.diagnostics(), json!({ "uri": URI, "version": 1, "diagnostics": [] }));
    // A part is replaced: behind the character that takes two units of UTF-16.
    let comment = json!([{ "range": range(0, 15, 17), "text": "😀😀" }]);
    editor.change(2, comment);
    assert_eq!(editor.diagnostics()["diagnostics"], json!([]));
    editor.change(3, json!([{ "range": range(7, 13, 18), "text": "twise" }]));
    let told = editor.diagnostics();
    assert_eq!(told["version"], 3);
    let first = &told["diagnostics"][0];
    assert_eq!(first["range"], range(7, 13, 18));
    assert_eq!(first["message"], "unknown function `twise`\nhelp: did you mean `twice`?");
    assert_eq!((&first["severity"], &first["code"]), (&json!(1), &json!("unknown-function")));
    assert_eq!(told["diagnostics"].as_array().unwrap().len(), 1);
    // The whole is replaced: a warning that fades, and places that explain an error.
    editor.change(4, json!([{ "text": "net m {\n input x: [N, 2]\n output y = x\n k = x\n}\n" }]));
    let told = editor.diagnostics();
    assert_eq!(
        (&told["diagnostics"][0]["severity"], &told["diagnostics"][0]["tags"]),
        (&json!(2), &json!([1]))
    );
    editor.change(5, json!([{ "text": "net m {\n input x: [N, 2]\n output x = x\n}\n" }]));
    let related = &editor.diagnostics()["diagnostics"][0]["relatedInformation"][0];
    assert_eq!(related["location"], json!({ "uri": URI, "range": range(1, 7, 8) }));
    // What the machine cannot hold is no mistake of the text, and told all the same.
    let large = "net m {\n input x: [N, 2]\n output y = x |> dense(9)\n limit memory = 1 B\n}\n";
    editor.change(6, json!([{ "text": large }]));
    assert_eq!(editor.diagnostics()["diagnostics"][0]["code"], "over-memory-limit");
    editor.say("textDocument/didClose", document());
    assert_eq!(editor.diagnostics()["diagnostics"], json!([]));
    assert_eq!(editor.close(), 0);
}

#[test]
fn a_name_is_known_everywhere() {
    let (mut editor, can) = Editor::opened("lsp-names", json!(["utf-16", "utf-8"]));
    assert_eq!(can["positionEncoding"], "utf-8");
    editor.open(TEXT);
    let place = |line, from, to| json!({ "uri": URI, "range": range(line, from, to) });
    assert_eq!(editor.at("definition", 8, 15, json!({})), place(7, 4, 5));
    assert_eq!(editor.at("definition", 7, 16, json!({})), place(1, 6, 11), "a block");
    assert_eq!(editor.at("definition", 2, 20, json!({})), place(0, 6, 7), "a constant");
    assert_eq!(editor.at("definition", 8, 21, json!({})), Value::Null, "of the language");
    let context = json!({ "context": { "includeDeclaration": true } });
    let uses = editor.at("references", 8, 11, context);
    assert_eq!(uses, json!([place(8, 11, 12), place(12, 15, 16), place(13, 15, 16)]));
    let marks = editor.at("documentHighlight", 12, 15, json!({}));
    assert_eq!(marks[0], json!({ "range": range(8, 11, 12), "kind": 3 }));
    assert_eq!(marks[1], json!({ "range": range(12, 15, 16), "kind": 2 }));

    let prepared = editor.at("prepareRename", 3, 11, json!({}));
    assert_eq!(prepared, json!({ "range": range(3, 11, 12), "placeholder": "w" }));
    let renamed = editor.at("rename", 2, 8, json!({ "newName": "value" }));
    let text = edited(TEXT, &renamed["changes"][URI]);
    assert_eq!(text, TEXT.replace("(v)", "(value)").replace("= v", "= value"));
    for (new, told) in [
        ("net", "`net` is a keyword and cannot be a name"),
        ("N", "`N` is the batch and cannot be a name"),
        ("1st", "a name is made of the letters A to Z, digits and `_`, and begins with no digit"),
        ("h", "`h` is the value of line 8 already"),
        ("H", "`H` is the constant of line 1 already"),
    ] {
        let mut params = at(6, 10);
        params["newName"] = json!(new);
        assert_eq!(editor.refused("textDocument/rename", params), told);
    }
    let mut params = at(1, 7);
    params["newName"] = json!("relu");
    let told = "`relu` is a function of the language";
    assert_eq!(editor.refused("textDocument/rename", params), told);
    let told = "`dense` belongs to the language, or is not defined here";
    assert_eq!(editor.refused("textDocument/prepareRename", at(8, 22)), told);
    let told = "there is no name here";
    assert_eq!(editor.refused("textDocument/prepareRename", at(4, 1)), told);
    assert_eq!(editor.close(), 0);
}

#[test]
fn what_stands_at_a_place_is_explained() {
    let (mut editor, _) = Editor::opened("lsp-hover", json!(["utf-8"]));
    editor.open(TEXT);
    let mut hover = |line, character| {
        let hover = editor.at("hover", line, character, json!({}));
        hover["contents"]["value"].as_str().unwrap_or_default().to_string()
    };
    let h = hover(8, 15);
    assert!(h.starts_with("```net\nvalue h: f32[N, 4]\n```"), "{h}");
    for part in ["12 parameters", "FLOP a row", "saved: 512 bytes at ", "steps ", "h = tanh("] {
        assert!(h.contains(part), "{part}: {h}");
    }
    assert!(hover(0, 6).starts_with("```net\nconstant H = 4\n```"));
    assert!(hover(2, 8).starts_with("```net\nargument v: f32[N, 2]\n```"));
    assert!(hover(6, 5).contains("input x: [N, 4]"), "a keyword");
    assert!(hover(8, 21).contains("dense(x, n, bias:, init:)"));
    assert!(hover(14, 18).contains("adam(lr, beta1:"));
    assert!(hover(14, 22).contains("adam(lr, beta1:"), "an argument");
    assert!(hover(12, 5).contains("what is made small"));
    assert_eq!(hover(4, 0), "");

    let help = editor.at("signatureHelp", 14, 25, json!({}));
    let adam = &help["signatures"][0];
    assert!(adam["label"].as_str().unwrap().starts_with("adam(lr, beta1:"), "{adam}");
    assert_eq!(
        (&adam["activeParameter"], &adam["parameters"][0]["label"]),
        (&json!(0), &json!([5, 7]))
    );
    let hints = editor.ask("textDocument/inlayHint", whole());
    let hints: Vec<(&Value, &Value)> = hints
        .as_array()
        .unwrap()
        .iter()
        .map(|hint| (&hint["position"]["line"], &hint["label"]))
        .collect();
    let expected = [(1, ": [N, 2]"), (2, ": [N, 4]"), (7, ": [N, 4]"), (8, ": [N, 1]")];
    let expected = expected.map(|(line, label)| (json!(line), json!(label)));
    assert_eq!(hints, expected.iter().map(|(line, label)| (line, label)).collect::<Vec<_>>());
    assert_eq!(editor.close(), 0);
}

#[test]
fn what_may_stand_at_a_place_is_offered() {
    let (mut editor, _) = Editor::opened("lsp-complete", json!(["utf-8"]));
    // Each `|` is where one types.
    let cases: [(&str, &[&str], &[&str]); 15] = [
        ("|", &["net", "train", "const", "block"], &["input", "dense"]),
        ("net m {\n    |\n}", &["input", "output", "freeze"], &["net", "epochs"]),
        ("net m {\n    inp|\n}", &["input"], &["dense"]),
        ("net m { input x: [N, 2]  h = x |> |\n}", &["dense", "relu", "mse"], &["x", "adam"]),
        ("net m { input x: [N, 2]  h = x |> de|", &["dense"], &["input"]),
        ("net m { input x: [N, 2]  h = | }", &["x", "dense"], &["input"]),
        ("net m { input x: [N, 2]  h = x |> dense(3, |", &["bias", "init", "x"], &["lr"]),
        ("net m { input x: [N, 2]  h = x |> dense(3, init: |)", &["he", "zeros"], &["x", "dense"]),
        ("net m { input x: [N, 2]  h = x |> dense(3, bias: |)", &["true", "false"], &["x"]),
        ("train {\n    |\n}", &["target", "optimizer", "epochs", "l2"], &["input", "dense"]),
        ("train { optimizer = |", &["adam", "sgd"], &["dense"]),
        ("train { optimizer = adam(lr: |", &["cosine", "step"], &["adam"]),
        ("train { metric |", &["accuracy", "mse"], &["dense"]),
        ("block f(a) {\n    b = a\n    return |\n}", &["a", "b", "dense"], &["net"]),
        ("block f(a) {\n    b = a\n    |\n}\nnet m { k = 1 }", &["return"], &["k", "input"]),
    ];
    editor.open("");
    for (version, (text, has, lacks)) in cases.into_iter().enumerate() {
        let typed = match text.matches("|>").count() {
            0 => text.find('|'),
            _ => {
                text.rmatch_indices('|').map(|(at, _)| at).find(|at| !text[*at..].starts_with("|>"))
            }
        };
        let offset = typed.unwrap();
        let before = &text[..offset];
        editor.change(
            version as u64 + 2,
            json!([{ "text": format!("{before}{}", &text[offset + 1..]) }]),
        );
        let line = before.matches('\n').count() as u64;
        let column = before.rsplit('\n').next().unwrap().len() as u64;
        let items = editor.at("completion", line, column, json!({}));
        let labels = labels(&items);
        for word in has {
            assert!(labels.contains(word), "{text}: no {word} in {labels:?}");
        }
        for word in lacks {
            assert!(!labels.contains(word), "{text}: {word} in {labels:?}");
        }
    }
    editor.change(90, json!([{ "text": "net m { } // a " }]));
    assert_eq!(editor.at("completion", 0, 15, json!({})), json!([]), "nothing in a comment");
    assert_eq!(editor.close(), 0);
}

#[test]
fn texts_are_changed_and_outlined() {
    let (mut editor, _) = Editor::opened("lsp-text", json!(["utf-8"]));
    let wrong = "net m {\ninput x: [N, 2];\n    k = x\n    output y = x |> dens(1)\n}\n";
    editor.open(wrong);
    let mut params = whole();
    params["context"] = json!({ "diagnostics": [] });
    let actions = editor.ask("textDocument/codeAction", params.clone());
    let titles: Vec<&Value> =
        actions.as_array().unwrap().iter().map(|action| &action["title"]).collect();
    assert_eq!(titles, ["remove the `;`", "write `dense`"]);
    assert_eq!(
        (&actions[0]["kind"], &actions[0]["isPreferred"]),
        (&json!("quickfix"), &json!(true))
    );
    assert_eq!(actions[1]["diagnostics"][0]["code"], "unknown-function");
    let text = actions
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .fold(wrong.to_string(), |text, action| edited(&text, &action["edit"]["changes"][URI]));
    let right = "net m {\ninput x: [N, 2]\n    k = x\n    output y = x |> dense(1)\n}\n";
    assert_eq!(text, right);
    let mut options = document();
    options["options"] = json!({ "tabSize": 4, "insertSpaces": true });
    let told = editor.refused("textDocument/formatting", options.clone());
    assert_eq!(told, "it cannot be read: statements need no terminators");

    editor.change(2, json!([{ "text": right }]));
    let edits = editor.ask("textDocument/formatting", options.clone());
    let usual = right.replace("\ninput", "\n    input");
    assert_eq!(edited(right, &edits), usual);
    let actions = editor.ask("textDocument/codeAction", params);
    let removed = actions.as_array().unwrap().iter().find(|action| action["title"] == "remove it");
    let text = edited(right, &removed.unwrap()["edit"]["changes"][URI]);
    assert_eq!(text, right.replace("    k = x\n", ""), "with its line");
    editor.change(3, json!([{ "text": usual }]));
    assert_eq!(editor.ask("textDocument/formatting", options), json!([]));

    editor.change(4, json!([{ "text": TEXT }]));
    let symbols = editor.ask("textDocument/documentSymbol", document());
    let outline: Vec<String> = symbols
        .as_array()
        .unwrap()
        .iter()
        .map(|symbol| {
            let children = symbol["children"].as_array();
            let names = children.into_iter().flatten().map(|child| child["name"].as_str().unwrap());
            format!("{}: {}", symbol["name"].as_str().unwrap(), names.collect::<Vec<_>>().join(" "))
        })
        .collect();
    assert_eq!(outline, ["H: ", "twice: w", "m: x h y", "train: t"]);
    assert_eq!(symbols[2]["children"][1]["detail"], "value f32[N, 4]");
    let folds = editor.ask("textDocument/foldingRange", document());
    assert_eq!(folds[1], json!({ "startLine": 5, "endLine": 9 }));
    assert_eq!(editor.close(), 0);
}

/// The classes of words, decoded.
#[test]
fn words_have_classes() {
    let (mut editor, can) = Editor::opened("lsp-tokens", json!(["utf-8"]));
    let types = can["semanticTokensProvider"]["legend"]["tokenTypes"].clone();
    editor.open(TEXT);
    let data = editor.ask("textDocument/semanticTokens/full", document())["data"].clone();
    let numbers: Vec<usize> =
        data.as_array().unwrap().iter().map(|number| number.as_u64().unwrap() as usize).collect();
    let lines: Vec<&str> = TEXT.lines().collect();
    let (mut line, mut start) = (0, 0);
    let mut words = Vec::new();
    for token in numbers.chunks(5) {
        start = if token[0] == 0 { start } else { 0 } + token[1];
        line += token[0];
        let word = &lines[line][start..start + token[2]];
        words.push((line, word, types[token[3]].as_str().unwrap(), token[4]));
    }
    assert_eq!(words.iter().map(|word| word.1).collect::<Vec<_>>()[..4], ["const", "H", "=", "4"]);
    for expected in [
        (0, "H", "variable", 3),
        (0, "// 😀", "comment", 0),
        (1, "v", "parameter", 1),
        (2, "H", "variable", 2),
        (2, "dense", "function", 0),
        (7, "twice", "function", 0),
        (12, "loss", "property", 0),
        (12, "y", "variable", 0),
        (14, "lr", "property", 0),
        (14, "0.01", "number", 0),
    ] {
        assert!(words.contains(&expected), "{expected:?}: {words:?}");
    }
    let mut params = document();
    params["range"] = json!({ "start": position(5, 0), "end": position(6, 0) });
    let part = editor.ask("textDocument/semanticTokens/range", params)["data"].clone();
    assert!(part.as_array().unwrap().len() < data.as_array().unwrap().len() / 2);
    assert_eq!(editor.close(), 0);
}

/// Whatever a text is, every request about any place of it has an answer.
#[test]
fn any_text_is_served() {
    let (mut editor, _) = Editor::opened("lsp-any", json!(["utf-16"]));
    editor.open("");
    let mut texts = vec![
        String::new(),
        "\u{feff}net\r\n{ input 😀: [N,, ] |> |> ( ( [".to_string(),
        "net m { input x: [N, 2] output y = x".to_string(),
        format!("net m {{ output y = {}1", "(".repeat(400)),
        "/* unclosed \n\n comment 'and \"more".to_string(),
        "block f(x) { return f(x) } net m { input x: [N] output y = f(x) }".to_string(),
    ];
    let digits = std::fs::read_to_string(model("digits.net")).unwrap();
    // Cut off within any word, and with a part left out.
    texts.extend((0..digits.len()).step_by(37).map(|at| digits[..at].to_string()));
    texts.extend(
        (0..digits.len() - 20).step_by(53).map(|at| [&digits[..at], &digits[at + 20..]].concat()),
    );
    for (version, text) in texts.iter().enumerate() {
        editor.change(version as u64 + 2, json!([{ "text": text }]));
        let lines = text.lines().count() as u64;
        for line in [0, lines / 2, lines.saturating_sub(1), lines + 3] {
            for column in [0, 7, 20, 9999] {
                let place = at(line, column);
                for method in
                    ["hover", "definition", "documentHighlight", "completion", "signatureHelp"]
                {
                    editor.ask(&format!("textDocument/{method}"), place.clone());
                }
                editor.answer("textDocument/prepareRename", place.clone());
                let mut named = place;
                named["newName"] = json!("other");
                editor.answer("textDocument/rename", named);
            }
        }
        let mut params = whole();
        params["context"] = json!({ "diagnostics": [] });
        editor.ask("textDocument/codeAction", params);
        editor.ask("textDocument/inlayHint", whole());
        for method in ["semanticTokens/full", "documentSymbol", "foldingRange"] {
            editor.ask(&format!("textDocument/{method}"), document());
        }
    }
    assert_eq!(editor.close(), 0);
}

#[test]
fn what_is_not_of_the_protocol_is_refused() {
    let (mut editor, _) = Editor::opened("lsp-odd", json!(null));
    assert_eq!(
        editor.refused("textDocument/moniker", json!({})),
        "`textDocument/moniker` is nothing that this server answers"
    );
    assert_eq!(editor.refused("textDocument/hover", at(0, 0)), "file:///m.net is not open");
    assert!(editor.refused("textDocument/hover", json!([1])).contains("invalid type"));
    editor.say("textDocument/didOpen", json!("nonsense"));
    editor.say("$/unheard", json!({}));
    assert_eq!(editor.close(), 0);
}

/// A session that ends otherwise than the protocol says has another exit code.
#[test]
fn sessions_may_be_cut_off() {
    let (mut editor, _) = Editor::opened("lsp-cut", json!(null));
    editor.input = None;
    assert_eq!(editor.server.wait().unwrap().code(), Some(1), "nobody said `shutdown`");
    let (mut editor, _) = Editor::opened("lsp-exit", json!(null));
    editor.say("exit", Value::Null);
    assert_eq!(editor.server.wait().unwrap().code(), Some(1));
    let mut editor = Editor::start("lsp-none");
    editor.input = None;
    assert_eq!(editor.server.wait().unwrap().code(), Some(1));

    let (mut editor, _) = Editor::opened("lsp-broken", json!(null));
    editor.write("Content-Length: 12\r\n\r\nno message {");
    let done = editor.server.wait_with_output().unwrap();
    let told = String::from_utf8(done.stderr).unwrap();
    assert_eq!(done.status.code(), Some(3), "{told}");
    assert!(told.starts_with("error: standard input: this is no message of an editor"), "{told}");
}
