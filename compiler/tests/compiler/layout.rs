//! Which values lie in rows, in panels and in columns.

use arenet_compiler::{Options, compile};
use arenet_program::{BufferId, Correct, EntryPoint, Kernel, Layout, Program, Routine, Softmax};
use pretty_assertions::assert_eq;

fn program(source: &str, batch: u64) -> Program {
    let options = Options { batch: Some(batch), ..Options::default() };
    let compiled = compile(source, &options).unwrap_or_else(|e| panic!("{e:?}\n{source}"));
    compiled.program.program().clone()
}

/// The order of a buffer's elements, in a word.
fn form(program: &Program, id: BufferId) -> &'static str {
    match program.buffers[id.0 as usize].layout {
        Layout::Rows { stride: 1, .. } => "list",
        Layout::Rows { .. } => "rows",
        Layout::Panels { .. } => "panels",
        Layout::Columns { .. } => "columns",
        Layout::Quads { .. } => "quads",
    }
}

/// The forms of everything that has a name: `x columns, h.w panels`.
fn forms(program: &Program) -> String {
    let ports = program.inputs.iter().chain(&program.targets).map(|port| (&port.name, port.buffer));
    let params = program.params.iter().map(|param| (&param.name, param.buffer));
    let outputs = program.outputs.iter().map(|output| (&output.name, output.buffer));
    let named = ports.chain(params).chain(outputs);
    let texts = named.map(|(name, id)| format!("{name} {}", form(program, id)));
    texts.collect::<Vec<_>>().join(", ")
}

fn check(source: &str, batch: u64, expected: &str) {
    assert_eq!(forms(&program(source, batch)), expected, "batch {batch} of {source}");
}

/// A perceptron of two layers with this input, hidden and output width.
fn net(widths: [usize; 3]) -> String {
    let [input, hidden, output] = widths;
    format!(
        "net n {{ input x: [N, {input}]
            h = x |> dense({hidden}) |> sigmoid
            output y = h |> dense({output}) }}
         train {{ target t: [N, {output}]  loss = mse(y, t)
            optimizer = sgd(lr: 0.1, momentum: 0.9) }}"
    )
}

#[test]
fn batches_that_fill_a_vector_lie_in_columns() {
    let (rows, columns) = (
        "x rows, t rows, h.w panels, h.b rows, y.w panels, y.b rows, y rows",
        "x columns, t columns, h.w panels, h.b rows, y.w panels, y.b rows, y columns",
    );
    for batch in [1, 15, (1 << 16) + 1] {
        check(&net([3, 3, 2]), batch, rows);
    }
    for batch in [16, 17, 256, 1 << 16] {
        check(&net([3, 3, 2]), batch, columns);
    }
}

#[test]
fn narrow_rows_lie_in_columns() {
    for (widths, expected) in [
        (
            [12, 4, 12],
            "x columns, t columns, h.w panels, h.b rows, y.w panels, y.b rows, y columns",
        ),
        ([13, 4, 13], "x rows, t rows, h.w panels, h.b rows, y.w panels, y.b rows, y rows"),
        ([1, 40, 13], "x columns, t rows, h.w panels, h.b rows, y.w panels, y.b rows, y rows"),
        ([13, 40, 1], "x rows, t columns, h.w panels, h.b rows, y.w panels, y.b rows, y columns"),
    ] {
        check(&net(widths), 32, expected);
    }
}

#[test]
fn every_value_of_a_narrow_net_lies_in_columns() {
    let program = program(&net([5, 12, 1]), 32);
    let entries = [EntryPoint::Train, EntryPoint::Predict];
    for step in entries.into_iter().flat_map(|entry| &program.routines[entry].steps) {
        let access = step.kernel.access();
        let batched = access.reads().chain(access.writes.iter().copied()).filter(|id| {
            let layout = program.buffers[id.0 as usize].layout;
            layout.size(1) != layout.size(2)
        });
        batched.for_each(|id| assert_eq!(form(&program, id), "columns", "{:?}", step.kernel));
    }
}

#[test]
fn a_weight_that_is_wider_than_a_panel_after_a_narrow_layer_lies_in_rows() {
    // Its gradient of the layer before, in columns, reads it by strides.
    let hidden = |hidden, output| forms(&program(&net([3, hidden, output]), 32));
    assert!(hidden(12, 16).contains("y.w panels"));
    assert!(hidden(12, 17).contains("y.w rows"));
    // Where that gradient lies in rows, it may lie in panels; and so where there is none.
    assert!(hidden(13, 17).contains("y.w panels"));
    assert!(hidden(40, 17).contains("h.w panels"));
    assert!(forms(&program(&net([3, 12, 17]), 15)).contains("y.w panels"));
    // Its state lies as it does.
    let program = program(&net([3, 12, 17]), 32);
    let weight = &program.params[2];
    assert_eq!(weight.name, "y.w");
    assert_eq!(form(&program, weight.states[0].buffer), "rows");
}

/// The logits of the kernels of an entry that read classes.
fn logits<'p>(program: &'p Program, entry: &'p Routine) -> impl Iterator<Item = &'static str> + 'p {
    entry.steps.iter().filter_map(|step| match &step.kernel {
        Kernel::CrossEntropy(ce) => Some(form(program, ce.x)),
        Kernel::Correct(Correct { x, .. }) | Kernel::Softmax(Softmax { x, .. }) => {
            Some(form(program, *x))
        }
        _ => None,
    })
}

#[test]
fn classes_lie_in_columns_but_where_the_largest_is_looked_for() {
    let source = "net n { input x: [N, 4]  output logits = x |> dense(3)
            output p = softmax(logits) }
         train { target t: i32[N]  loss = cross_entropy(logits, t)  optimizer = sgd
            metric accuracy(logits, t) }";
    let program = program(source, 32);
    // Each entry point decides for itself, but for what all of them share.
    let by_entry = [EntryPoint::Predict, EntryPoint::Eval, EntryPoint::Train];
    let found = by_entry
        .map(|entry| logits(&program, &program.routines[entry]).collect::<Vec<_>>().join(" "));
    assert_eq!(found, ["columns", "rows rows", "columns"]);
    assert_eq!(
        forms(&program),
        "x columns, t list, logits.w panels, logits.b rows, logits columns, p columns"
    );
}

#[test]
fn a_port_lies_in_rows_if_anything_that_reads_it_must() {
    // The metric looks for the largest of each row of the input, in eval alone.
    let source = "net n { input x: [N, 4]  input u: [N, 4]  output y = x |> dense(4) + u }
         train { target t: i32[N]  loss = cross_entropy(y, t)  optimizer = sgd METRIC }";
    let shared = "y.w panels, y.b rows, y";
    check(
        &source.replace("METRIC", ""),
        32,
        &format!("x columns, u columns, t list, {shared} columns"),
    );
    let with_metric = source.replace("METRIC", "metric accuracy(x, t)");
    check(&with_metric, 32, &format!("x rows, u columns, t list, {shared} columns"));
    // What shares a sum with it lies as it does.
    let with_metric = source.replace("METRIC", "metric accuracy(u, t)");
    check(&with_metric, 32, &format!("x columns, u rows, t list, {shared} rows"));

    // One number a row is spread over x, and its gradient sums x's rows.
    let source = "net n { input x: [N, 3]  input u: [N, 3]  output y = x * (u |> dense(1)) }
         train { target t: [N, 3]  loss = mse(y, t)  optimizer = sgd }";
    check(source, 32, "x rows, u columns, t rows, y.w panels, y.b rows, y rows");
}

#[test]
fn several_rows_for_each_row_of_data_lie_in_rows() {
    let source = "net n { input x: [N, 2, 3]  output y = x |> dense(4) }
         train { target t: i32[N, 2]  loss = cross_entropy(y, t)  optimizer = sgd }";
    check(source, 32, "x rows, t rows, y.w panels, y.b rows, y rows");
}
