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
    assert!(err.contains("\"h.w\": t[NAME].T.contiguous(), \"h.b\": t[NAME], ...}"), "{err}");
    let one: [Tensor<'_>; 1] = [("0.weight", &[2, 2], &w1)];
    fails(&one, "", "has weights of PyTorch's, and its layers are not those of the net");

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
