//! Weights that PyTorch wrote: [out, in], under names of its own.

use crate::common::Folder;
use pretty_assertions::assert_eq;

type Tensor<'a> = (&'a str, &'a [usize], &'a [f32]);

/// A safetensors file.
fn safetensors(tensors: &[Tensor<'_>], metadata: &str) -> Vec<u8> {
    let mut entries = vec![format!("\"__metadata__\":{{{metadata}}}")];
    let mut data = Vec::new();
    for (name, shape, values) in tensors {
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let end = data.len();
        entries.push(format!(
            "\"{name}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}"
        ));
    }
    let header = format!("{{{}}}", entries.join(","));
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

/// Two layers of two, so that no shape shows which way the weights lie.
const SQUARE: &str = "net square {
    input x: [N, 2]
    h = x |> dense(2) |> tanh
    output y = h |> dense(2)
}";
const W1: [[f32; 2]; 2] = [[0.5, -1.0], [2.0, 0.25]];
const B1: [f32; 2] = [0.125, -0.5];
const W2: [[f32; 2]; 2] = [[1.0, 3.0], [-0.75, 0.5]];
const B2: [f32; 2] = [0.0, 1.5];
const X: [f32; 2] = [0.75, -0.5];

/// torch.nn.Linear: y = x Wᵀ + b.
fn linear(x: [f32; 2], w: [[f32; 2]; 2], b: [f32; 2]) -> [f32; 2] {
    [0, 1].map(|out| x[0] * w[out][0] + x[1] * w[out][1] + b[out])
}

fn square(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("square.net", SQUARE);
    folder.write("x.csv", format!("{},{}\n", X[0], X[1]));
    folder
}

#[test]
fn numbered_layers_are_turned_round() {
    let folder = square("pytorch-numbers");
    let (w1, w2) = (W1.concat(), W2.concat());
    let expected = linear(linear(X, W1, B1).map(f32::tanh), W2, B2);
    // Files have the names in alphabetical order, which is not that of the numbers.
    for (first, second) in [("0", "2"), ("2", "10"), ("fc1", "fc2"), ("net.0", "net.11")] {
        let names = [first, second].map(|layer| ["weight", "bias"].map(|t| format!("{layer}.{t}")));
        let tensors: [Tensor<'_>; 4] = [
            (&names[1][1], &[2], &B2),
            (&names[1][0], &[2, 2], &w2),
            (&names[0][1], &[2], &B1),
            (&names[0][0], &[2, 2], &w1),
        ];
        folder.write("w.safetensors", safetensors(&tensors, "\"format\":\"pt\""));
        let done = folder.ok("predict square.net --weights w.safetensors --data x.csv");
        let row = done.out.lines().nth(1).unwrap();
        let y: Vec<f32> = row.split(',').map(|value| value.parse().unwrap()).collect();
        assert!(y.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{y:?} {expected:?}");
        let note = "w.safetensors: weights of PyTorch's, turned from [out, in] to [in, out]\n";
        assert_eq!(done.err, note);
    }
}

/// Embeddings are not turned, norms have their statistics, and counters are no tensors.
#[test]
fn layers_of_all_kinds_are_found_by_their_names() {
    let folder = Folder::new("pytorch-layers");
    let net = "net layers {
        input x: [N, 3]
        input k: i32[N] in 0..2
        place = k |> embedding(2)
        fc = concat(x, place) |> dense(4)
        norm = fc |> batch_norm
        layer_norm = norm |> layer_norm
        bend = layer_norm |> prelu
        output y = bend |> dense(2)
    }";
    folder.write("layers.net", net);
    folder.write("rows.csv", "1,2,3,1\n0.5,-1,0,0\n");
    let weights = include_bytes!("../../../../tests/reference/layers.safetensors");
    folder.write("layers.safetensors", weights);
    // What the script printed that wrote them.
    let expected = [[0.8617271, 1.2080082], [0.9664436, -1.2946080]];
    let check = |weights: &str| {
        let out = folder.ok(&format!("predict layers.net --weights {weights} --data rows.csv")).out;
        for (line, expected) in out.lines().skip(1).zip(expected) {
            let y = line.split(',').map(|value| value.parse::<f64>().unwrap());
            y.zip(expected).for_each(|(y, e)| assert!((y - e).abs() < 2e-6, "{out}"));
        }
        assert_eq!(out.lines().count(), 3);
    };
    check("layers.safetensors");
    folder.ok("show layers.safetensors");
    // A net in one statement, whose layers are numbered in their order.
    let numbers = ["0", "1", "2", "4", "7", "8"];
    let names = ["place", "fc", "norm", "layer_norm", "bend", "y"];
    let mut text = weights.to_vec();
    for (name, number) in names.iter().zip(numbers) {
        // As long as before, so that the header keeps its length.
        let padded = format!("\"{:0>1$}.", number, name.len());
        let from = format!("\"{name}.");
        while let Some(at) = text.windows(from.len()).position(|part| part == from.as_bytes()) {
            text[at..at + from.len()].copy_from_slice(padded.as_bytes());
        }
    }
    folder.write("numbers.safetensors", text);
    check("numbers.safetensors");
}

#[test]
fn what_is_not_certain_is_refused_with_the_way_out() {
    let folder = square("pytorch-refused");
    let (w1, w2) = (W1.concat(), W2.concat());
    let fails = |tensors: &[Tensor<'_>], metadata: &str, expected: &str| {
        folder.write("w.safetensors", safetensors(tensors, metadata));
        let args = "predict square.net --weights w.safetensors --data x.csv";
        let done = folder.run(args);
        assert_eq!(done.code, 3, "{done:?}");
        assert_eq!(done.err.lines().next().unwrap(), format!("error: w.safetensors: {expected}"));
        assert!(done.err.lines().nth(1).unwrap().starts_with("help: "), "{done:?}");
        done.err
    };
    let layers: [Tensor<'_>; 4] = [
        ("hidden.bias", &[2], &B1),
        ("hidden.weight", &[2, 2], &w1),
        ("out.bias", &[2], &B2),
        ("out.weight", &[2, 2], &w2),
    ];
    let err = fails(
        &layers,
        "",
        "has weights of PyTorch's, and the names of its layers do not tell their order",
    );
    let names = "hidden.bias, hidden.weight, out.bias, out.weight";
    assert!(err.contains(&format!("with the right one of {names} for each ?: from ")), "{err}");
    assert!(err.contains("{\"h.w\": t[\"?\"].T.contiguous(), \"h.b\": t[\"?\"], "), "{err}");
    // What only one tensor can be is named.
    let wide: [Tensor<'_>; 4] = [
        ("hidden.bias", &[3], &[0.0; 3]),
        ("hidden.weight", &[3, 2], &[0.0; 6]),
        layers[2],
        ("out.weight", &[2, 3], &[0.0; 6]),
    ];
    folder.write("square.net", SQUARE.replace("dense(2) |>", "dense(3) |>"));
    let err = fails(
        &wide,
        "",
        "has weights of PyTorch's, and the names of its layers do not tell their order",
    );
    let map = "{\"h.w\": t[\"hidden.weight\"].T.contiguous(), \"h.b\": t[\"hidden.bias\"], \
               \"y.w\": t[\"out.weight\"].T.contiguous(), \"y.b\": t[\"out.bias\"]}, NEW, ";
    assert!(err.contains("under the net's names: from ") && err.contains(map), "{err}");
    folder.write("square.net", SQUARE);

    let other = "has weights of PyTorch's, and its layers are not those of the net";
    let one: [Tensor<'_>; 1] = [("0.weight", &[2, 2], &w1)];
    fails(&one, "", &format!("{other}: it has 1, and the net has 2"));
    let bare: [Tensor<'_>; 3] = [layers[0], layers[1], layers[3]];
    let bare = bare.map(|(name, shape, values)| {
        (
            if name.starts_with("hidden") {
                name.replace("hidden", "h")
            } else {
                "y.weight".into()
            },
            shape,
            values,
        )
    });
    let bare: Vec<Tensor<'_>> = bare.iter().map(|(name, s, v)| (name.as_str(), *s, *v)).collect();
    fails(&bare, "", &format!("{other}: y has no bias, and y.b [2]"));
    let norm: [Tensor<'_>; 4] = [
        ("0.weight", &[2, 2], &w1),
        ("0.running_mean", &[2], &B1),
        ("1.weight", &[2, 2], &w2),
        ("1.bias", &[2], &B2),
    ];
    fails(&norm, "", &format!("{other}: 0 has no bias, and h.b [2]"));
    let norm = [norm[0], ("0.bias", &[2], &B1), norm[1], norm[2], norm[3]];
    fails(&norm, "", &format!("{other}, which has nothing such as 0.running_mean"));
    let lstm: [Tensor<'_>; 2] = [("0.weight", &[2, 2], &w1), ("1.weight_ih_l0", &[2, 2], &w1)];
    fails(&lstm, "", "has weights of PyTorch's, and 1.weight_ih_l0 is of no layer that is known");
    folder.write("square.net", SQUARE.replace("x |>", "x |> standardize |>"));
    let numbered = [("0.weight", w1.as_slice()), ("1.weight", w2.as_slice())];
    let numbered = numbered.map(|(name, values)| (name, &[2, 2][..], values));
    fails(&numbered, "", "has weights of PyTorch's, and it has nothing such as h.0.deviation");
    folder.write("square.net", SQUARE);

    // Under the net's names: what the file says decides, and where it says nothing, [in, out].
    let own: [Tensor<'_>; 4] =
        [("h.w", &[2, 2], &w1), ("h.b", &[2], &B1), ("y.w", &[2, 2], &w2), ("y.b", &[2], &B2)];
    fails(
        &own,
        "\"format\":\"pt\"",
        "was written by PyTorch (format pt), and its weights, which are square, do not show \
         whether they are [in, out] or [out, in]",
    );
    let layout = "says that its weights lie as \"[out, in]\", not as [in, out]";
    fails(&own, "\"layout\":\"[out, in]\"", layout);
    for said in ["", "\"format\":\"pt\",\"layout\":\"[in, out]\""] {
        folder.write("w.safetensors", safetensors(&own, said));
        folder.ok("predict square.net --weights w.safetensors --data x.csv");
    }

    folder.write("square.net", SQUARE.replace("dense(2) |>", "dense(3) |>"));
    let six = [0.5; 6];
    let turned: [Tensor<'_>; 4] = [
        ("h.w", &[3, 2], &six),
        ("h.b", &[3], &six[..3]),
        ("y.w", &[2, 3], &six),
        ("y.b", &[2], &B2),
    ];
    let err = fails(
        &turned,
        "",
        "has weights as [out, in], as PyTorch keeps them, and they are read as [in, out]: h.w is \
         [3, 2] and must be [2, 3]",
    );
    assert!(err.contains("t.T.contiguous() if t.dim() == 2"), "{err}");
}

#[test]
fn our_own_weights_say_how_they_lie() {
    let folder = Folder::small("pytorch-own");
    folder.ok("train small.net -q");
    let bytes = folder.read("small.safetensors");
    let header = String::from_utf8_lossy(&bytes);
    assert!(header.contains("\"layout\":\"[in, out]\""), "{header}");
}
