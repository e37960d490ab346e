//! What `show` draws: the documents are well-formed, hold every name, and lie about nothing.

use crate::common::{Folder, model, untrained};
use pretty_assertions::assert_eq;
use roxmltree::{Document, Node};

const MODELS: [&str; 6] = ["digits", "residual", "siamese", "heads", "mnist_relu", "penguins"];

fn attribute(node: Node, name: &str) -> f64 {
    node.attribute(name).and_then(|text| text.parse().ok()).unwrap_or(0.0)
}

/// The left, upper, right and lower ends of the boxes with a title, and their titles.
fn boxes<'a>(drawing: &'a Document) -> Vec<([f64; 4], &'a str)> {
    let rects = drawing.descendants().filter(|node| node.has_tag_name("rect"));
    let titled = rects.filter_map(|node| {
        let title = node.parent()?.children().find(|child| child.has_tag_name("title"))?.text()?;
        let [x, y, w, h] = ["x", "y", "width", "height"].map(|name| attribute(node, name));
        node.parent()?.has_tag_name("g").then_some(([x, y, x + w, y + h], title))
    });
    titled.collect()
}

fn assert_apart(boxes: &[([f64; 4], &str)], what: &str) {
    const ROUNDING: f64 = 0.05;
    for (index, (a, name)) in boxes.iter().enumerate() {
        for (b, other) in &boxes[..index] {
            let over = |i: usize| (a[i + 2].min(b[i + 2]) - a[i].max(b[i])).max(0.0);
            let overlap = over(0) > ROUNDING && over(1) > ROUNDING;
            assert!(!overlap, "{what}: `{name}` {a:?} overlaps `{other}` {b:?}");
        }
    }
}

fn words(drawing: &Document) -> Vec<String> {
    let texts = drawing.descendants().filter(|node| node.has_tag_name("text"));
    texts.filter_map(|node| node.text().map(String::from)).collect()
}

#[test]
fn a_graph_has_every_statement_and_no_box_on_another() {
    let folder = Folder::new("graphs");
    let deep: String =
        (1..=30).map(|i| format!("h{i} = h{} |> dense(8) |> relu\n", i - 1)).collect();
    folder.write(
        "deep.net",
        format!(
            "net deep {{ input h0: [N, 8]\n{deep} output y = h30 + h1 |> dense(2) }}
             train {{ target t: [N, 2]  loss = mse(y, t)  optimizer = sgd }}"
        ),
    );
    let models = MODELS.map(|name| model(&format!("{name}.net")));
    for path in models.into_iter().chain(["deep.net".to_string()]) {
        for entry in ["predict", "train"] {
            let out = folder.ok(&format!("show {path} --graph svg --entry {entry}")).out;
            let drawing = Document::parse(&out).unwrap_or_else(|error| panic!("{path}: {error}"));
            let (boxes, words) = (boxes(&drawing), words(&drawing));
            assert_apart(&boxes, &path);
            // The layers as the table tells them.
            let table = folder.ok(&format!("show {path}")).out;
            let layers = table.lines().skip(3).take_while(|line| !line.starts_with("total"));
            let mut count = 0;
            for layer in layers {
                let name = layer.split_whitespace().next().unwrap();
                if layer.contains("  param ") {
                    continue;
                }
                count += 1;
                assert!(words.iter().any(|word| word == name), "{path}: {name} in {words:?}");
                let (from, to) = (layer.find('[').unwrap(), layer.find(']').unwrap());
                let is_read = !layer.contains("softmax(") && name != "y" && name != "value";
                let shape = &layer[from..=to];
                if is_read && entry == "train" {
                    assert!(words.iter().any(|word| word.contains(shape)), "{path}: {shape}");
                }
            }
            assert!(boxes.len() >= count, "{path}: {} boxes", boxes.len());
            let gradients = words.iter().filter(|word| word.starts_with('∂')).count();
            assert_eq!(gradients > 0, entry == "train", "{path}: {words:?}");
        }
    }
}

#[test]
fn no_edge_crosses_a_box() {
    let folder = Folder::new("edges");
    for name in MODELS {
        let path = model(&format!("{name}.net"));
        let out = folder.ok(&format!("show {path} --graph svg")).out;
        let drawing = Document::parse(&out).unwrap();
        let boxes = boxes(&drawing);
        let edges = drawing.descendants().filter(|node| node.attribute("class") == Some("edge"));
        for edge in edges {
            for [x, y] in points(edge.attribute("d").unwrap()) {
                let inside = |(at, _): &&([f64; 4], &str)| {
                    x > at[0] + 0.1 && x < at[2] - 0.1 && y > at[1] + 0.1 && y < at[3] - 0.1
                };
                assert_eq!(boxes.iter().find(inside), None, "{name}: {x} {y}");
            }
        }
    }
}

/// Points along a path of lines and cubic curves.
fn points(path: &str) -> Vec<[f64; 2]> {
    let mut points: Vec<[f64; 2]> = Vec::new();
    let mut numbers: Vec<f64> = Vec::new();
    let mut command = 'M';
    let mut flush = |command: char, numbers: &mut Vec<f64>| {
        match (command, &numbers[..]) {
            ('M', &[x, y]) => points.push([x, y]),
            ('L', &[x, y]) => {
                let [a, b] = points[points.len() - 1];
                for i in 1..=10 {
                    let t = f64::from(i) / 10.0;
                    points.push([a + (x - a) * t, b + (y - b) * t]);
                }
            }
            ('C', &[x1, y1, x2, y2, x, y]) => {
                let [a, b] = points[points.len() - 1];
                for i in 1..=20 {
                    let t = f64::from(i) / 20.0;
                    let mix = |p: [f64; 4]| {
                        let s = 1.0 - t;
                        p[0] * s * s * s
                            + 3.0 * p[1] * s * s * t
                            + 3.0 * p[2] * s * t * t
                            + p[3] * t * t * t
                    };
                    points.push([mix([a, x1, x2, x]), mix([b, y1, y2, y])]);
                }
            }
            other => panic!("{other:?} in {path}"),
        }
        numbers.clear();
    };
    for word in path.split(' ') {
        let (letter, number) = match word.chars().next() {
            Some(letter) if letter.is_ascii_alphabetic() => (Some(letter), &word[1..]),
            _ => (None, word),
        };
        if let Some(letter) = letter {
            if !numbers.is_empty() {
                flush(command, &mut numbers);
            }
            command = letter;
        }
        numbers.push(number.parse().unwrap());
    }
    flush(command, &mut numbers);
    points
}

#[test]
fn a_map_of_the_arena_agrees_with_the_plan() {
    let folder = Folder::new("maps");
    for name in MODELS {
        for entry in ["train", "predict"] {
            let path = model(&format!("{name}.net"));
            let out = folder.ok(&format!("show {path} --plan svg --entry {entry}")).out;
            let drawing = Document::parse(&out).unwrap();
            let boxes = boxes(&drawing);
            assert_apart(&boxes, name);
            let plan = folder.ok(&format!("show {path} --plan text --entry {entry}")).out;
            let figures = plan.lines().find(|line| line.starts_with("arena ")).unwrap();
            let arena: f64 = figures.split(' ').nth(1).unwrap().parse().unwrap();
            let steps: f64 = figures.rsplit(' ').nth(1).unwrap().parse().unwrap();
            let rows: Vec<&str> =
                plan.lines().skip_while(|line| !line.starts_with("value ")).skip(1).collect();
            assert_eq!(boxes.len(), rows.len(), "{name} {entry}");
            let ends = |at: usize, pick: fn(f64, f64) -> f64| {
                boxes.iter().map(|(ends, _)| ends[at]).reduce(pick).unwrap()
            };
            let (left, right) = (ends(0, f64::min), ends(2, f64::max));
            let (top, bottom) = (bottom_of(&drawing), ends(3, f64::max));
            for (row, (ends, title)) in rows.iter().zip(&boxes) {
                // The last words of a row; names may have a space.
                let words: Vec<&str> =
                    row.split("  ").map(str::trim).filter(|w| !w.is_empty()).collect();
                let role = words
                    .iter()
                    .position(|word| ["persistent", "saved", "transient"].contains(word));
                let numbers = &words[role.unwrap() + 1..];
                let [offset, bytes]: [f64; 2] = [0, 1].map(|i| numbers[i].parse().unwrap());
                let y = |bytes: f64| bottom - bytes / arena * (bottom - top);
                let near = |a: f64, b: f64| (a - b).abs() < 0.05;
                assert!(
                    near(ends[3], y(offset)) && near(ends[1], y(offset + bytes)),
                    "{row}: {ends:?}"
                );
                let x = |step: f64| left + step / steps * (right - left);
                let (first, last) = match numbers[2].split_once("..") {
                    None => (0.0, steps),
                    Some((first, "end")) => (first.parse().unwrap(), steps),
                    Some((first, last)) => {
                        (first.parse().unwrap(), last.parse::<f64>().unwrap() + 1.0)
                    }
                };
                // In a step where one value takes the place of another, each has a half.
                let starts = near(ends[0], x(first)) || near(ends[0], x(first + 0.5));
                let stops = near(ends[2], x(last)) || near(ends[2], x(last - 0.5));
                assert!(starts && stops, "{row}: {ends:?}");
                assert!(
                    title.starts_with(&format!("{}: ", words[0].trim_end_matches('…')))
                        || words[0].ends_with('…'),
                    "{row}: {title}"
                );
            }
            let text = words_of(&drawing);
            assert!(text.contains("peak: ") && text.contains("lower bound"), "{text}");
        }
    }
}

/// The upper end of the map, which the frame of the peak has.
fn bottom_of(drawing: &Document) -> f64 {
    let peak = drawing.descendants().find(|node| node.attribute("class") == Some("peak"));
    attribute(peak.expect("the peak is marked"), "y")
}

fn words_of(drawing: &Document) -> String {
    words(drawing).join("\n")
}

#[test]
fn the_pictures_of_the_documents_are_those_of_the_command() {
    let folder = Folder::new("pictures");
    for (picture, option) in [("digits-graph", "--graph svg"), ("digits-plan", "--plan svg")] {
        folder.ok(&format!("show {} {option} -o {picture}.svg", model("digits.net")));
        let path = format!("{}/../../docs/pictures/{picture}.svg", env!("CARGO_MANIFEST_DIR"));
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        let help = "`arenet show models/digits.net` with its option makes it";
        assert!(kept == folder.text(&format!("{picture}.svg")), "{path} is not as drawn; {help}");
    }
}

#[test]
fn a_drawing_stands_alone_and_replaces_no_input() {
    let folder = Folder::small("drawings");
    let alone = "error: a drawing is a document of its own, and here is more than it\n\
                 help: ask for one drawing alone";
    folder.fails("show small.net --graph svg --plan svg", 2, alone);
    folder.fails("show small.net --graph svg --schedule", 2, alone);
    folder.fails(
        "show small.net --graph svg -o small.net",
        2,
        "error: small.net: would replace the model that the command reads\n\
         help: name another file with --out",
    );
    folder.fails(
        "show small.net --graph svg --entry init",
        2,
        "error: init has no statements of its own to draw\n\
         help: choose predict, eval or train with --entry",
    );
    folder.write("plain.net", "net n { input x: [N, 2]  output y = x |> dense(1) }");
    let error = untrained("error: plain.net: has no `train` section, so no loss");
    folder.fails("show plain.net --graph svg --entry train", 1, &error);
    folder.ok("compile small.net");
    let error = "error: small.netc: a compiled program does not say when its values are alive\n\
                 help: give the .net file, or leave out svg for the places of values";
    folder.fails("show small.netc --plan svg", 2, error);
    folder.ok("show small.net -o small.txt");
    assert!(folder.text("small.txt").starts_with("small: 17 parameters, batch 2\n"));
}
