//! The report of a run: a page that stands alone and tells what the run told.

use crate::common::{Done, Folder, SMALL, SMALL_ROWS, model, tensor};
use pretty_assertions::assert_eq;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::Value;

/// Reads a page, which is XML too, and calls no other place.
#[track_caller]
fn check_page(page: &str) -> Document<'_> {
    assert!(!page.contains("http://") && !page.contains("https://"), "it needs no network");
    assert!(!page.contains("url(") && !page.contains("@import"));
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let page = Document::parse_with_options(page, options).unwrap();
    for node in page.descendants() {
        assert!(node.attribute("src").is_none() && node.attribute("href").is_none(), "{node:?}");
        assert!(!node.attributes().any(|attribute| attribute.name().starts_with("on")));
    }
    page
}

/// The data in a page.
fn data(page: &str) -> Value {
    let page = check_page(page);
    let element = page.descendants().find(|node| node.attribute("id") == Some("run")).unwrap();
    serde_json::from_str(element.text().unwrap()).unwrap()
}

/// All text of an element.
fn text(node: Node) -> String {
    node.descendants().filter_map(|node| node.text().filter(|_| node.is_text())).collect()
}

/// The lines of JSON that a training printed.
fn printed(done: &Done) -> Vec<Value> {
    done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_report_has_the_figures_that_the_run_printed() {
    let folder = Folder::new("report-figures");
    let net = model("iris.net");
    let done = folder.ok(&format!("train {net} --epochs 12 --seed 7 --json --report run.html"));
    let mut lines = printed(&done);
    let end = lines.pop().unwrap();
    assert_eq!(end["report"], "run.html");
    let page = folder.text("run.html");
    let run = data(&page);
    assert_eq!(run["settings"]["seed"], 7);
    assert_eq!(run["end"]["held_out"]["loss"], end["loss"]);
    assert_eq!(run["end"]["held_out"]["metrics"][0], end["metrics"]["accuracy"]);
    let epochs = run["epochs"].as_array().unwrap();
    assert_eq!(epochs.len(), 12);
    for (epoch, line) in epochs.iter().zip(&lines) {
        for key in ["epoch", "step", "loss", "valid_loss", "lr", "seconds", "best"] {
            assert_eq!(epoch[key], line[key], "{key}");
        }
        assert_eq!(epoch["metrics"][0], line["metrics"]["accuracy"]);
    }

    let page = check_page(&page);
    let all = text(page.root());
    let command = format!("arenet train {net} --epochs 12 --seed 7 --json --report run.html");
    assert!(all.contains(&command), "{all}");
    assert!(all.contains("120 training rows") && all.contains("30 held-out rows"));
    let accuracy = 100.0 * end["metrics"]["accuracy"].as_f64().unwrap();
    assert!(all.contains(&format!("{accuracy:.1}%")));
    assert!(all.contains("output probs = softmax(logits)"));
    let charts: Vec<String> =
        page.descendants().filter(|node| node.has_tag_name("figcaption")).map(text).collect();
    assert_eq!(charts[..3], ["Loss", "accuracy", "Learning rate"]);
    // Each epoch can be pointed at in each chart.
    let titles = page.descendants().filter(|n| n.has_tag_name("title")).map(text);
    let titles: Vec<String> = titles.filter(|title| title.starts_with("epoch 5\n")).collect();
    assert_eq!(titles.len(), 5);
    let rounded = format!("training: {:.4}", epochs[4]["loss"].as_f64().unwrap());
    assert!(titles[0].contains(&rounded), "{titles:?} {rounded}");
}

/// The figures of the rows trained on are those that `eval` finds.
#[test]
fn figures_are_those_of_eval() {
    let folder = Folder::small("report-eval");
    folder.ok("train small.net -q --report run.html");
    let run = data(&folder.text("run.html"));
    let eval: Value = serde_json::from_str(&folder.ok("eval small.net --json").out).unwrap();
    assert_eq!(run["end"]["training"]["loss"], eval["loss"]);
    assert_eq!(run["end"]["training"]["metrics"][0], eval["metrics"]["accuracy"]);
    assert_eq!(run["end"]["held_out"], Value::Null);
}

/// The page has the map that `show --plan svg` draws, and styles nothing else by it.
#[test]
fn a_report_has_the_memory_and_the_time_of_a_step() {
    let folder = Folder::small("report-memory");
    folder.ok("train small.net -q --epochs 50 --report run.html");
    let page = folder.text("run.html");
    folder.ok("show small.net --plan svg -o plan.svg");
    let plan = folder.text("plan.svg").replace(" xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(page.contains(&plan));
    let style = plan.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let rules = style.lines().filter(|line| line.contains('{') && !line.starts_with("@media"));
    assert!(
        rules.clone().count() > 10
            && rules.clone().all(|rule| rule.contains(".drawing ") || rule.starts_with(".drawing")),
        "{style}"
    );
    let end = &data(&page)["end"];
    let (step, seconds) = (&end["step"], end["seconds"].as_f64().unwrap());
    let mean = step["mean"].as_f64().unwrap();
    assert!((mean - 1e9 * seconds / 100.0).abs() < 1e-6 * mean, "{step}");
    assert!(step["limit"].as_f64().is_none_or(|limit| limit > 0.0), "{step}");
    assert!(text(check_page(&page).root()).contains(" on average"));

    folder.ok("compile small.net");
    folder.ok("train small.netc --data small.csv -q --report other.html");
    assert!(!folder.text("other.html").contains("class=\"drawing\""));
}

#[test]
fn a_report_changes_no_bit_of_a_run() {
    let folder = Folder::small("report-bits");
    folder.ok("train small.net -q --out without");
    folder.ok("train small.net -q --out with --report run.html");
    assert!(folder.read("without") == folder.read("with"));
}

#[test]
fn a_long_run_is_thinned() {
    let folder = Folder::small("report-long");
    folder.ok("train small.net -q --epochs 1999 --report run.html");
    let run = data(&folder.text("run.html"));
    let epochs = run["epochs"].as_array().unwrap();
    let at: Vec<u64> = epochs.iter().map(|epoch| epoch["epoch"].as_u64().unwrap()).collect();
    assert_eq!((at[0], at[1], at.len()), (8, 16, 250));
    assert_eq!(at[at.len() - 2..], [1992, 1999]);
    assert!(folder.text("run.html").contains("One epoch of 8 is shown."));
}

#[test]
fn a_run_that_goes_on_says_so() {
    let folder = Folder::small("report-resumed");
    folder.ok("train small.net -q --epochs 2 --checkpoint two");
    folder.ok("train small.net -q --epochs 5 --resume two --report run.html");
    let page = folder.text("run.html");
    assert!(page.contains("The run went on from a checkpoint after 2 epochs."));
    assert_eq!(data(&page)["epochs"].as_array().unwrap().len(), 3);
}

/// The curves of two runs in one page, and what they have not in common.
#[test]
fn reports_are_put_beside_each_other() {
    let folder = Folder::small("report-compare");
    folder.ok("train small.net -q --lr 0.05 --report slow.html");
    folder.ok("train small.net -q --lr 0.5 --epochs 5 --report fast.html");
    assert_eq!(folder.ok("report slow.html fast.html -o both.html").out, "report: both.html\n");
    let page = folder.text("both.html");
    let page = check_page(&page);
    let all = text(page.root());
    let line = |name: &str| {
        let of = |node: &Node| node.has_tag_name("tr") && text(*node).starts_with(name);
        let line = page.descendants().find(of).unwrap_or_else(|| panic!("{name}: {all}"));
        line.children().skip(1).map(text).collect::<Vec<String>>()
    };
    assert_eq!(line("learning rate"), ["0.05", "0.5"]);
    assert_eq!(line("epochs planned"), ["3", "5"]);
    assert_eq!(line("ended"), ["3 epochs", "5 epochs"]);
    assert_eq!(line("seed"), ["0", "0"]);
    let titles = page.descendants().filter(|node| node.has_tag_name("title")).map(text);
    let of_epoch = |epoch: &str| titles.clone().find(|title| title.starts_with(epoch)).unwrap();
    let figure = |name: &str, epoch: usize| {
        let loss = data(&folder.text(name))["epochs"][epoch]["loss"].as_f64().unwrap();
        format!("{loss:.4}")
    };
    let (slow, fast) = (figure("slow.html", 2), figure("fast.html", 2));
    assert_eq!(of_epoch("epoch 3"), format!("epoch 3\nslow: {slow}\nfast: {fast}"));
    assert_eq!(of_epoch("epoch 5"), format!("epoch 5\nslow: –\nfast: {}", figure("fast.html", 4)));

    let check = |args: &str, code: i32, told: &str| {
        let done = folder.run(&format!("report {args}"));
        assert!(done.code == code && done.err.starts_with(told), "{args}: {done:#?}");
    };
    check("slow.html -o slow.html", 2, "error: slow.html: would replace a page that");
    check("none.html -o c.html", 3, "error: none.html: cannot be read: ");
    check("small.net -o c.html", 3, "error: small.net: is no report of a run: it has no data\n");
    let empty = "<script type=\"application/json\" id=\"run\">{}</script>";
    folder.write("empty.html", empty);
    check("empty.html -o c.html", 3, "error: empty.html: is no report of a run: it names no net");
    folder.write("torn.html", folder.text("slow.html").replace("\"net\":", "\"net\":[1,"));
    check("torn.html -o c.html", 3, "error: torn.html: is no report of a run: ");
}

/// Names come from whoever wrote the model and the table.
#[test]
fn hostile_names_are_text() {
    let folder = Folder::new("report-hostile");
    folder.write(
        "a&b.net",
        "net n { input x: [N, 1] from [\"<img src=q onerror=alert(1)>\"]
            output y = x |> dense(2) } // </pre><script>alert(2)</script>
        train { target t: i32[N] in [\"<script>alert(3)</script>\", \"b\\u{202e}\"]
            loss = cross_entropy(y, t)  metric accuracy(y, t)  optimizer = sgd  epochs = 2 }"
            .replace("\\u{202e}", "]]>"),
    );
    folder
        .write("a&b.csv", "<img src=q onerror=alert(1)>,t\n1,<script>alert(3)</script>\n2,b]]>\n");
    folder.ok("train a&b.net -q --report r.html");
    let page = folder.text("r.html");
    let run = data(&page);
    assert_eq!(run["rows"]["ports"][1]["classes"][0], "<script>alert(3)</script>");
    let page = check_page(&page);
    let scripts = page.descendants().filter(|node| node.has_tag_name("script")).count();
    let images = page.descendants().filter(|node| node.has_tag_name("img")).count();
    assert_eq!((scripts, images), (2, 0), "the data and the script of the page");
    assert!(text(page.root()).contains("</pre><script>alert(2)</script>"));
}

#[test]
fn a_run_that_diverges_is_reported() {
    let folder = Folder::new("report-diverged");
    folder.write(
        "n.net",
        "net n { input x: [N, 1]  output y = x |> dense(1) }
        train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 40)  batch = 2
            epochs = 20  shuffle = false }",
    );
    folder.write("n.csv", "size,t\n1,1\n2,3\n1.5,2\n0.5,5\n");
    assert_eq!(folder.run("train n.net -q --report r.html").code, 4);
    let page = folder.text("r.html");
    let run = data(&page);
    assert_eq!(run["end"]["ending"], "Diverged");
    assert!(page.contains("diverged after 4 epochs") && page.contains("training diverged in"));
}

#[test]
fn a_page_that_cannot_be_written_is_told_before_the_training() {
    let folder = Folder::small("report-places");
    let check = |report: &str, code: i32, told: &str| {
        let done = folder.run(&format!("train small.net --report {report}"));
        assert_eq!((done.code, done.out.as_str()), (code, ""));
        assert!(done.err.starts_with(&format!("error: {report}: {told}")), "{}", done.err);
        assert!(!folder.has("small.safetensors"));
    };
    check("none/run.html", 3, "cannot be written: ");
    check("small.net", 2, "would replace the model that the command reads");
    check("small.csv", 2, "would replace the data that the command reads");
    check("small.safetensors", 2, "is for the weights or the checkpoints already");
    check("small.ckpt.safetensors", 2, "is for the weights or the checkpoints already");
    check("/dev/stdout", 2, "standard output has the results");
}

/// Classes are counted as `eval` counts them, and right rows make the accuracy.
#[test]
fn classes_are_counted_as_eval_counts_them() {
    let folder = Folder::new("report-classes");
    let text = std::fs::read_to_string(model("iris.net")).unwrap();
    let metric = "metric accuracy(logits, species)";
    assert!(text.contains(metric));
    let text = text.replace(metric, &format!("{metric}\nmetric confusion_matrix(logits, species)"));
    folder.write("iris.net", text);
    folder.write("iris.csv", std::fs::read(model("iris.csv")).unwrap());
    folder.ok("train iris.net -q --epochs 3 --report run.html");
    let run = data(&folder.text("run.html"));
    let eval: Value =
        serde_json::from_str(&folder.ok("eval iris.net -q --held-out --json").out).unwrap();
    let table = &eval["tables"]["confusion_matrix"];
    let classes = &run["looks"]["classes"][0];
    assert_eq!(classes["names"], table["classes"]);
    let mut counts = vec![vec![0; 3]; 3];
    for count in classes["counts"].as_array().unwrap() {
        let [truth, found, rows] = [0, 1, 2].map(|at| count[at].as_u64().unwrap());
        counts[truth as usize][found as usize] = rows;
    }
    assert_eq!(Value::from(counts.clone()), table["counts"]);
    let right = counts[0][0] + counts[1][1] + counts[2][2];
    let accuracy = eval["metrics"]["accuracy"].as_f64().unwrap();
    assert!((right as f64 / 30.0 - accuracy).abs() < 1e-6);
}

/// The loss of a row is what `eval` says of that row alone, and the worst row comes first.
#[test]
fn the_worst_rows_come_first() {
    let folder = Folder::small("report-worst");
    folder.ok("train small.net -q --report run.html");
    let run = data(&folder.text("run.html"));
    let worst = run["looks"]["worst"].as_array().unwrap();
    let lines: Vec<&str> = SMALL_ROWS.lines().collect();
    let mut before = f64::INFINITY;
    for bad in worst {
        let row = bad["row"].as_u64().unwrap() as usize;
        folder.write("one.csv", format!("{}\n{}\n", lines[0], lines[row]));
        let eval = folder.ok("eval small.net --data one.csv --json").out;
        let eval: Value = serde_json::from_str(&eval).unwrap();
        assert_eq!(bad["loss"], eval["loss"], "row {row}");
        let predicted = folder.ok("predict small.net --data one.csv").out;
        let one: f64 = predicted.lines().last().unwrap().parse().unwrap();
        let found = &bad["found"][0];
        assert_eq!(found["truth"].as_str(), lines[row].split(',').next_back());
        assert_eq!(found["found"], if one >= 0.5 { "1" } else { "0" });
        assert!((found["probability"].as_f64().unwrap() - one.max(1.0 - one)).abs() < 1e-6);
        let loss = bad["loss"].as_f64().unwrap();
        assert!(loss <= before);
        before = loss;
    }
    assert_eq!(worst.len(), 4);
}

#[test]
fn estimates_are_compared_in_the_units_of_the_target() {
    let folder = Folder::new("report-numbers");
    let net = model("auto_mpg.net");
    folder.ok(&format!("train {net} -q --epochs 5 --report run.html"));
    let page = folder.text("run.html");
    let run = data(&page);
    let numbers = &run["looks"]["numbers"][0];
    assert_eq!((&numbers["target"], &numbers["output"]), (&"mpg".into(), &"predicted_mpg".into()));
    let mae = run["end"]["held_out"]["metrics"][0].as_f64().unwrap();
    assert!((numbers["mae"].as_f64().unwrap() - mae).abs() < 1e-5 * mae);
    assert_eq!(numbers["points"].as_array().unwrap().len(), 80);
    assert!(page.contains("Estimate and truth"));

    // In other units than the target an output says nothing of it.
    let net = "net n { input x: [N, 1]  output z = x |> dense(1) }
        train { target t: [N, 1]  loss = mse(z, standardize(t))  optimizer = sgd  epochs = 2 }";
    folder.write("n.net", net);
    folder.write("n.csv", "x,t\n1,100\n2,300\n1.5,220\n");
    folder.ok("train n.net -q --report n.html");
    assert_eq!(data(&folder.text("n.html"))["looks"]["numbers"], Value::Array(vec![]));
}

/// The norms of an epoch are those of the weights after it, and after it and the one before.
#[test]
fn norms_are_those_of_the_weights() {
    let folder = Folder::small("report-norms");
    folder.ok("train small.net -q --epochs 2 --out two");
    folder.ok("train small.net -q --epochs 3 --out three --report run.html");
    let run = data(&folder.text("run.html"));
    assert_eq!(run["weights"], Value::from(vec!["h.w", "y.w"]));
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
    for (at, name) in ["h.w", "y.w"].into_iter().enumerate() {
        let [two, three] = ["two", "three"].map(|file| tensor(&folder.read(file), name));
        let told = &run["epochs"][2]["norms"][at];
        let is = |told: &Value, norm: f64| (told.as_f64().unwrap() - norm).abs() < 1e-9;
        assert!(is(&told["weight"], norm(&mut three.iter().copied())), "{told}");
        let change = norm(&mut two.iter().zip(&three).map(|(a, b)| a - b));
        assert!(is(&told["change"], change) && change > 0.0, "{told} {change}");
    }
    let layer = &run["end"]["layers"][0];
    assert_eq!((&layer["name"], &layer["function"]), (&"h".into(), &"tanh".into()));
    assert_eq!(run["end"]["diagnosis"], "");
}

/// A run that keeps the best weights ends with these; they are no step of its last epoch.
#[test]
fn weights_that_are_put_back_are_no_change() {
    let folder = Folder::small("report-best");
    folder.write("small.net", SMALL.replace("batch = 2", "keep = best  batch = 2"));
    // The better it fits its rows, the worse it does on these.
    folder.write("other.csv", "x.0,x.1,t\n0,0,1\n0,1,0\n1,0,0\n1,1,1\n");
    folder.ok("train small.net -q --epochs 40 --valid other.csv --report run.html");
    let run = data(&folder.text("run.html"));
    let best = run["end"]["best"]["epoch"].as_u64().unwrap();
    assert!(best < 40, "{best}");
    let norms = |epoch: usize| run["epochs"][epoch - 1]["norms"].as_array().unwrap().len();
    assert_eq!((norms(39), norms(40)), (2, 0));
}

/// What a look at the trained net finds wrong is in the page too.
#[test]
fn a_diagnosis_is_reported() {
    let folder = Folder::new("report-diagnosis");
    let net = "net n {\n    input x: [N, 1]\n    output y = x |> dense(1, init: zeros)\n}
        train { target t: [N, 1]  loss = mse(y, t)  optimizer = sgd(lr: 0)  epochs = 1 }";
    folder.write("n.net", net);
    folder.write("n.csv", "size,t\n1,1\n2,3\n1.5,2\n0.5,5\n");
    folder.ok("train n.net -q --report run.html");
    let page = folder.text("run.html");
    let page = check_page(&page);
    assert!(text(page.root()).contains("the output `y` is the same for every row"));
}
