//! `check` of several models, and its results as SARIF.

use crate::common::{Folder, model};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

/// A good model, one with a warning, and one with an error in a folder below.
fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("good.net", std::fs::read(model("iris.net")).unwrap());
    folder.write("lint.net", "net l { input x: [N, 2]  output y = x |> dense(1) |> relu }");
    std::fs::create_dir_all(folder.path("below/.git")).unwrap();
    folder
        .write("below/wrong.net", "net w {\n    input x: [N, 2]\n    output y = x |> dens(1)\n}\n");
    folder.write("below/.git/other.net", "nonsense");
    folder.write("below/notes.txt", "nonsense");
    folder
}

#[test]
fn several_models_are_summed_up() {
    let folder = folder("check-several");
    let done = folder.run("check .");
    let sum = "./good.net: ok, 131 parameters\n./lint.net: ok, 3 parameters\n\
               3 models: 1 with errors, 1 warning\n";
    assert_eq!((done.code, done.out.as_str()), (1, sum));
    assert!(
        done.err.starts_with("error[unknown-function]: unknown function `dens`\n --> ./below/")
    );
    assert!(done.err.contains("warning[relu-init]"), "{}", done.err);
    let sum = "good.net: ok, 131 parameters\nlint.net: ok, 3 parameters\n\
               2 models: 0 with errors, 0 warnings\n";
    assert_eq!(folder.ok("check good.net lint.net -q").out, sum);

    folder.write("deep.net", format!("net n {{ output y = {}1", "(".repeat(500)));
    assert_eq!(folder.run("check below deep.net").code, 5, "the largest of the exit codes");
    std::fs::create_dir(folder.path("empty")).unwrap();
    let told = "error: empty: there is no .net file in this folder\n\
                help: name a model, or a folder that has some below it";
    folder.fails("check empty", 1, told);
    let told = "error: rows are for one model, and here are several\nhelp: check that model alone";
    folder.fails("check . --data t.csv", 2, told);
    let lines = folder.run("check . --message-format json").err;
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
}

/// What hosts of code need of a document: rules with help, and results with a level and a place.
#[test]
fn results_are_sarif() {
    let folder = folder("check-sarif");
    folder.write(
        "a b.net",
        "net m { // \u{1f600}\u{e9}\n input x: [N, 2] /* \u{1f600} */ output y = x }",
    );
    let done = folder.run("check . --message-format sarif");
    assert_eq!((done.code, done.err.as_str()), (1, ""));
    let document: Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    assert_eq!(run["columnKind"], "utf16CodeUnits");
    assert_eq!(run["invocations"], json!([{ "executionSuccessful": true }]));
    assert_eq!(run["tool"]["driver"]["name"], "arenet");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for text in
            [&rule["shortDescription"]["text"], &rule["help"]["text"], &rule["help"]["markdown"]]
        {
            assert!(!text.as_str().unwrap().is_empty(), "{rule}");
        }
    }
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = result["ruleIndex"].as_u64().unwrap() as usize;
        assert_eq!(result["ruleId"], rules[index]["id"]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
    }
    let place = |index: usize| &results[index]["locations"][0]["physicalLocation"];
    let region = |line: u64, [from, to]: [u64; 2]| {
        let (start, end) = (json!(from), json!(to));
        json!({ "startLine": line, "startColumn": start, "endLine": line, "endColumn": end })
    };
    assert_eq!(place(0)["artifactLocation"]["uri"], "a%20b.net");
    assert_eq!(place(0)["region"], region(2, [18, 26]), "the columns are in units of UTF-16");
    assert_eq!(place(1)["artifactLocation"]["uri"], "below/wrong.net");
    assert_eq!(place(1)["region"], region(3, [21, 25]));
    let text = "unknown function `dens`\nhelp: did you mean `dense`?";
    assert_eq!(results[1]["message"]["text"], text);
    assert_eq!(
        (&results[2]["level"], &results[2]["ruleId"]),
        (&json!("warning"), &json!("relu-init"))
    );

    let lost = folder.run("check none.net --message-format sarif");
    let document: Value = serde_json::from_str(&lost.out).unwrap();
    let run = &document["runs"][0];
    assert_eq!(
        (&run["results"], &run["invocations"][0]["executionSuccessful"]),
        (&json!([]), &json!(false))
    );
    assert!(
        lost.code == 1 && lost.err.starts_with("error: none.net: cannot be read"),
        "{}",
        lost.err
    );
    assert_eq!(folder.run("show good.net --message-format sarif").code, 2);
}
