//! Everything from bytes, as `include_bytes!` gives them: a program, its weights and its rows. It
//! needs no feature.

use std::sync::Arc;

use arenet_runtime::data::{PortSpec, TableSpec, Values, read_arrays_of, read_csv};
use arenet_runtime::exec::Options;
use arenet_runtime::predict::Predictor;
use arenet_runtime::program::codec::{decode, encode};
use arenet_runtime::program::verify::verify;
use arenet_runtime::program::{
    Buffer, BufferId, DType, Distribution, EntryPoint, Expr, Instr, Kernel, Layout, Load, Opcode,
    Origin, Output, Param, Port, Program, Random, Routine, Rows, Spread, Step, StreamId, Value,
};
use arenet_runtime::weights::WeightsFile;

const BATCH: u64 = 4;

fn step(kernel: Kernel) -> Routine {
    let steps = vec![Step { kernel, origin: Origin::default(), flops: 0 }];
    Routine { steps, ..Routine::default() }
}

/// The bytes of y = x * w, element by element, for rows of two.
fn program() -> Vec<u8> {
    let (x, w, y) = (BufferId(0), BufferId(1), BufferId(2));
    let mut program = Program { name: "scaled".into(), batch: BATCH, ..Program::default() };
    let batched = Rows { count: 1, batched: true };
    for rows in [batched, Rows::fixed(1), batched] {
        let layout = Layout::matrix(rows, 2);
        let offset = program.arena_bytes;
        program.arena_bytes += layout.bytes(BATCH).unwrap();
        program.buffers.push(Buffer { offset, layout, dtype: DType::F32 });
    }
    program.inputs = vec![Port { name: "x".into(), width: 2, buffer: x, ..Port::default() }];
    program.params = vec![Param { name: "w".into(), shape: vec![2], buffer: w, states: vec![] }];
    program.outputs = vec![Output { name: "y".into(), width: 2, buffer: y, scores: None }];
    let zeros = Random { y: w, distribution: Distribution::Constant(0.0), stream: StreamId(0) };
    program.routines[EntryPoint::Init] = step(Kernel::Random(zeros));
    let load = |buffer, spread| Load { buffer, spread };
    program.routines[EntryPoint::Predict] = step(Kernel::Map(Expr {
        loads: vec![load(x, Spread::Full), load(w, Spread::Row)],
        code: vec![Instr {
            op: Opcode::Mul,
            args: [Value::Load(0), Value::Load(1), Value::Load(0)],
        }],
        stores: vec![(Value::Instr(0), y)],
        ..Expr::default()
    }));
    encode(&program)
}

/// Weights as safetensors have them.
fn weights(values: [f32; 2]) -> Vec<u8> {
    let header = r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#;
    let values = values.iter().flat_map(|value| value.to_le_bytes());
    let length = (header.len() as u64).to_le_bytes();
    length.into_iter().chain(header.bytes()).chain(values).collect()
}

/// Rows as npy has them.
fn rows(values: &[[f32; 2]]) -> Vec<u8> {
    let count = values.len();
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, 2), }}\n");
    let values = values.iter().flatten().flat_map(|value| value.to_le_bytes());
    let length = (header.len() as u16).to_le_bytes();
    let head = b"\x93NUMPY\x01\x00".iter().copied().chain(length).chain(header.bytes());
    head.chain(values).collect()
}

#[test]
fn a_net_predicts_from_bytes_alone() {
    let program = verify(decode(&program()).unwrap()).unwrap();
    let inputs = PortSpec::inputs(program.program());
    let weights = weights([2.0, -1.0]);
    let mut weights = WeightsFile::of_bytes(&weights, "built in").unwrap();
    let mut predictor =
        Predictor::new(Arc::new(program), &mut weights, Options::default()).unwrap();

    let x = rows(&[[1.0, 2.0], [3.0, 4.0], [0.5, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    let spec = TableSpec::new(&inputs, &[]);
    let data = read_arrays_of(&[("x", &x)], &spec).unwrap();
    assert_eq!(data, read_csv(&x[..], "x", &spec).unwrap());
    let Values::F32(values) = &data.inputs[0].data else { panic!("x is real") };
    let outputs = predictor.predict(&values[..]).unwrap();
    assert_eq!(outputs, [[2.0, -2.0, 6.0, -4.0, 1.0, 0.0, 0.0, -1.0, 2.0, -1.0]]);

    let error = read_arrays_of(&[("x", &x[..x.len() - 3])], &spec).unwrap_err();
    assert_eq!(error.to_string(), "x: ends early: 37 bytes of data, expected 40");
}

#[test]
fn what_a_build_does_not_read_is_told() {
    let spec = [PortSpec { name: "x".into(), width: 2, ..PortSpec::default() }];
    let read = |bytes: &[u8]| {
        read_csv(bytes, "t", &TableSpec::new(&spec, &[])).map_err(|error| format!("{error:#}"))
    };
    match (read(b"1,2\n"), cfg!(feature = "csv")) {
        (Ok(data), true) => assert_eq!(data.rows, 1),
        (Err(error), false) => assert!(error.contains("the feature `csv`"), "{error}"),
        (other, _) => panic!("{other:?}"),
    }
    let packed: [(&[u8], _, _); 2] = [
        (&[0x1F, 0x8B, 8, 0], "the feature `gzip`", cfg!(feature = "gzip")),
        (&[0x28, 0xB5, 0x2F, 0xFD], "the feature `zstd`", cfg!(feature = "zstd")),
    ];
    for (bytes, told, is_read) in packed {
        let error = read(bytes).unwrap_err();
        assert_eq!(error.contains(told), !is_read, "{error}");
    }
}
