//! The numbers that docs/tour.md has in its text, computed here in 64 bits by the formulas of the
//! page, from the weights that the training starts from.

use crate::common::{Folder, model, tensor};

const X: [f64; 3] = [1.0, 0.0, 1.0];
const T: [f64; 2] = [1.0, 0.0];
const RATE: f64 = 0.5;

/// The block of the document that is written to a file.
fn block<'d>(text: &'d str, info: &str) -> &'d str {
    let (_, rest) = text.split_once(&format!("```{info}\n")).expect("the document has it");
    rest.split_once("```").expect("it is closed").0
}

/// A weight of a file, a row for each input.
fn weight<const M: usize>(file: &[u8], name: &str) -> Vec<[f64; M]> {
    tensor(file, name).chunks(M).map(|row| row.try_into().unwrap()).collect()
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Wᵀ x, through the sigmoid.
fn layer<const M: usize>(x: &[f64], w: &[[f64; M]]) -> ([f64; M], [f64; M]) {
    let z = std::array::from_fn(|j| x.iter().zip(w).map(|(x, row)| x * row[j]).sum());
    (z, z.map(sigmoid))
}

/// The picture is what the commands of the page draw, which src/cli/tests/cli/documents.rs runs.
#[test]
fn the_picture_of_the_descents_is_up_to_date() {
    let text = std::fs::read_to_string(model("../docs/tour.md")).unwrap();
    let folder = Folder::new("tour-descents");
    let adder = block(&text, "net adder.net");
    folder.write("adder.net", adder);
    folder.write("adam.net", adder.replace("sgd(lr: 2)", "adam(lr: 0.05)"));
    let data = model("seed.csv");
    for (net, how, page) in [
        ("adder.net", "", "batch.html"),
        ("adder.net", "--batch 1", "stochastic.html"),
        ("adder.net", "--batch 2", "mini-batch.html"),
        ("adam.net", "", "adam.html"),
    ] {
        folder.ok(&format!("train {net} --data {data} -q {how} --report {page}"));
    }
    let drawn = "batch.html stochastic.html mini-batch.html adam.html --out descents.svg";
    folder.ok(&format!("report {drawn}"));
    let kept = std::fs::read_to_string(model("../docs/pictures/descents.svg")).unwrap_or_default();
    assert!(kept == folder.text("descents.svg"), "docs/pictures/descents.svg is not as drawn");
    assert_eq!(kept.matches("class=\"title\"").count(), 2, "nothing changes of the rates");
}

#[test]
fn the_numbers_of_the_tour_are_right() {
    let text = std::fs::read_to_string(model("../docs/tour.md")).unwrap();
    let folder = Folder::new("tour");
    folder.write("tour.net", block(&text, "net tour.net"));
    folder.write("tour.csv", block(&text, "csv tour.csv"));
    folder.ok("train tour.net --lr 0 -q --out start.safetensors");
    let start = folder.read("start.safetensors");
    let (w, v) = (weight::<3>(&start, "h.w"), weight::<2>(&start, "y.w"));

    let (z, h) = layer(&X, &w);
    let (u, y) = layer(&h, &v);
    let loss = (0..2).map(|k| (y[k] - T[k]).powi(2)).sum::<f64>() / 2.0;
    let dy: [f64; 2] = std::array::from_fn(|k| y[k] - T[k]);
    let du: [f64; 2] = std::array::from_fn(|k| dy[k] * y[k] * (1.0 - y[k]));
    let dh: [f64; 3] = std::array::from_fn(|j| du[0] * v[j][0] + du[1] * v[j][1]);
    let dz: [f64; 3] = std::array::from_fn(|j| dh[j] * h[j] * (1.0 - h[j]));
    let slope = h[0] * du[0];

    let n = |value: f64| format!("{value:.4}");
    let mut expected: Vec<String> =
        (0..3).map(|j| format!("| {} | {} | {} |", j + 1, n(z[j]), n(h[j]))).collect();
    expected
        .extend((0..2).map(|k| format!("| {} | {} | {} | {} |", k + 1, n(u[k]), n(y[k]), T[k])));
    expected.extend([
        format!(
            "z₁ = 1 · ({}) + 0 · {} + 1 · {} + 0 = {}",
            n(w[0][0]),
            n(w[1][0]),
            n(w[2][0]),
            n(z[0])
        ),
        format!(
            "{} · {} + {} · {} + {} · {}",
            n(h[0]),
            n(v[0][0]),
            n(h[1]),
            n(v[1][0]),
            n(h[2]),
            n(v[2][0])
        ),
        format!("L = (({} - 1)² + ({} - 0)²) / 2 = {}", n(y[0]), n(y[1]), n(loss)),
        format!("which is {} and {}.", n(dy[0]), n(dy[1])),
        format!("which is {} and {}.", n(du[0]), n(du[1])),
        format!(
            "which is {}, {} and {}; for the first, {} · {} + {} · {}",
            n(dh[0]),
            n(dh[1]),
            n(dh[2]),
            n(du[0]),
            n(v[0][0]),
            n(du[1]),
            n(v[0][1])
        ),
        format!("which is {}, {} and {}.", n(dz[0]), n(dz[1]), n(dz[2])),
        format!("it is {} · ({}) = {}", n(h[0]), n(du[0]), n(slope)),
        format!("{} - {RATE} · ({}) = {}", n(v[0][0]), n(slope), n(v[0][0] - RATE * slope)),
    ]);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = words(&text);
    for line in expected {
        assert!(text.contains(&words(&line)), "docs/tour.md does not say: {line}");
    }
}
