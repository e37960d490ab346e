//! Whole networks: gradients against central differences, simplification against evaluation, and
//! the text of graphs at every stage.

use crate::common::nets::NETS;
use crate::common::oracle::lowered;
use crate::common::{self, BATCH, Numbers, assert_close, central_differences};
use arenet_compiler::eval::evaluate;
use arenet_compiler::graph::op::{Leaf, Op, Operand, Source};
use arenet_compiler::graph::{Formula, Graph, NodeId, Shape, Tensor, Term, verify::verify};
use arenet_compiler::model::Model;
use arenet_compiler::pass::differentiate::differentiate;
use arenet_compiler::pass::simplify::{simplify, simplify_model};
use arenet_compiler::pass::update::train_step;
use arenet_compiler::{Options, compile};
use arenet_program::listing::listing;
use arenet_program::{EntryPoint, Kernel, Program};
use pretty_assertions::assert_eq;
use std::fmt::Write;

/// A value for every leaf of a model, always the same.
fn leaf_values(model: &Model) -> impl Fn(&Leaf) -> Tensor {
    let mut numbers = Numbers::new(7);
    let ports = |ports: &[arenet_compiler::model::Port], numbers: &mut Numbers| -> Vec<Tensor> {
        let operand = |port: &arenet_compiler::model::Port| Operand {
            ty: arenet_compiler::graph::Type { shape: port.shape, dtype: port.dtype },
            low: 0.0,
            high: port.domain.classes().unwrap_or(1) as f64,
        };
        ports.iter().map(|port| numbers.tensor(&operand(port))).collect()
    };
    let inputs = ports(&model.inputs, &mut numbers);
    let targets = ports(&model.targets, &mut numbers);
    let params: Vec<Tensor> = model
        .params
        .iter()
        .map(|param| numbers.tensor(&Operand::f32(param.shape, -0.8, 0.8)))
        .collect();
    move |leaf| match leaf.source {
        Source::Input(i) => inputs[i as usize].clone(),
        Source::Target(i) => targets[i as usize].clone(),
        Source::Param(i) => params[i.index()].clone(),
        Source::State(_) => Tensor::from_fn(leaf.shape, BATCH, |i| 0.1 * (i + 1) as f64),
        Source::Const(value) => Tensor::scalar(value),
        Source::PerRow(factor) => Tensor::scalar(factor / BATCH as f64),
        Source::Host(_) => Tensor::scalar(0.25),
    }
}

#[test]
fn gradients_of_whole_networks() {
    for (what, source) in NETS {
        for model in [lowered(source), simplify_model(lowered(source))] {
            let leaves = leaf_values(&model);
            let loss = model.loss.unwrap();
            let params: Vec<NodeId> = model.params.iter().map(|param| param.node).collect();
            let mut graph = model.graph.clone();
            let grads = differentiate(&mut graph, loss, &params);
            verify(&graph).unwrap();
            let values = evaluate(&graph, &leaves, BATCH);
            for (i, (param, grad)) in model.params.iter().zip(grads).enumerate() {
                let grad = grad.unwrap_or_else(|| panic!("{what}: {} has no gradient", param.name));
                let at = &values[param.node.index()];
                let expected = central_differences(at, |x| {
                    let leaves = |leaf: &Leaf| match leaf.source {
                        Source::Param(other) if other.index() == i => x.clone(),
                        _ => leaves(leaf),
                    };
                    evaluate(&model.graph, leaves, BATCH)[loss.index()].data[0]
                });
                let what = format!("{what}: {}", param.name);
                assert_close(&what, &values[grad.index()], &expected, 1e-6);
            }
        }
    }
}

/// The values of the roots.
fn roots(graph: &Graph, leaves: &impl Fn(&Leaf) -> Tensor) -> Vec<Tensor> {
    let values = evaluate(graph, leaves, BATCH);
    graph.roots.iter().map(|root| values[root.index()].clone()).collect()
}

#[test]
fn simplification_keeps_the_values_of_whole_steps() {
    for (what, source) in NETS {
        let model = lowered(source);
        let leaves = leaf_values(&model);
        let step = train_step(&model);
        let simple = simplify(&step);
        verify(&simple).unwrap();
        let written_out = step.nodes.iter().any(|node| matches!(node.op, Op::Bce(_)));
        assert!(written_out || simple.nodes.len() < step.nodes.len(), "{what}");
        for (old, new) in roots(&step, &leaves).iter().zip(roots(&simple, &leaves)) {
            assert_close(what, &new, old, 1e-12);
        }
        let again = simplify(&simple);
        assert_eq!(again.to_string(), simple.to_string(), "{what}: twice is once");
    }
}

/// A random formula over two inputs and the numbers that rules look for.
fn random_formula(numbers: &mut Numbers, nodes: usize) -> Graph {
    let mut graph = Graph::default();
    let shape = Shape::batched(&[2]);
    let a = common::f32_input(&mut graph, 0, shape);
    let b = common::f32_input(&mut graph, 1, shape);
    let f = Formula::new(&mut graph);
    let mut terms: Vec<Term> = vec![f.term(a), f.term(b), f.per_row(1.0)];
    for _ in 0..nodes {
        let mut pick = |n: usize| (numbers.next() * n as f64) as usize;
        let (x, y) = (terms[pick(terms.len())], terms[pick(terms.len())]);
        let number = [0.0, 1.0, -1.0, 2.0, 0.5, 3.0][pick(6)];
        terms.push(match pick(16) {
            0 => x + y,
            1 => x - y,
            2 => x * y,
            3 => x + number,
            4 => x - number,
            5 => number - x,
            6 => x * number,
            7 => number * x,
            8 => -x,
            9 => x / if number == 0.0 { 4.0 } else { number },
            10 => x.abs(),
            11 => x.sigmoid(),
            12 => x.sigmoid().log(),
            13 => (1.0 - x.sigmoid()).log(),
            14 => x.gate(y),
            _ => x.max(y).min(x * 2.0),
        });
    }
    let last: Vec<NodeId> = terms[terms.len() - 3..].iter().map(|term| term.id).collect();
    graph.roots = last;
    graph
}

#[test]
fn simplification_keeps_the_values_of_random_formulas() {
    let mut numbers = Numbers::new(3);
    for round in 0..500 {
        let graph = random_formula(&mut numbers, 1 + round % 24);
        verify(&graph).unwrap();
        let simple = simplify(&graph);
        verify(&simple).unwrap();
        let inputs: Vec<Tensor> = (0..2)
            .map(|_| numbers.tensor(&Operand::f32(Shape::batched(&[2]), -2.0, 2.0)))
            .collect();
        let leaves = |leaf: &Leaf| match leaf.source {
            Source::Input(i) => inputs[i as usize].clone(),
            Source::PerRow(factor) => Tensor::scalar(factor / BATCH as f64),
            source => panic!("no value for {source:?}"),
        };
        for (old, new) in roots(&graph, &leaves).iter().zip(roots(&simple, &leaves)) {
            // Products of products grow fast, and so does what the rounding of one may do.
            if old.data.iter().all(|value| value.abs() < 1e6) {
                assert_close(&format!("round {round}:\n{graph}"), &new, old, 1e-6);
            }
        }
    }
}

/// The simplified text of a formula of one input `x` [N, 2] and one learning rate `s`.
fn simplified(formula: impl for<'f> FnOnce(Term<'f>, Term<'f>) -> Term<'f>) -> String {
    let mut graph = Graph::default();
    let x = common::f32_input(&mut graph, 0, Shape::batched(&[2]));
    let f = Formula::new(&mut graph);
    let root = formula(f.term(x), f.per_row(1.0)).id;
    graph.roots = vec![root];
    let lines = simplify(&graph).to_string();
    // Types are clear here, and would hide the operations.
    lines.lines().fold(String::new(), |mut text, line| {
        let line = line.split(" = ").last().unwrap();
        let separator = if text.is_empty() { "" } else { "; " };
        write!(text, "{separator}{line}").unwrap();
        text
    })
}

fn per_row(x: Term<'_>, factor: f64) -> Term<'_> {
    x.formula().per_row(factor)
}

#[test]
fn rules_of_simplification() {
    let x = "input 0; roots %0";
    assert_eq!(simplified(|x, _| x * 1.0), x);
    assert_eq!(simplified(|x, _| 1.0 * x), x);
    assert_eq!(simplified(|x, _| x / 1.0), x);
    assert_eq!(simplified(|x, _| x + 0.0), x);
    assert_eq!(simplified(|x, _| 0.0 + x), x);
    assert_eq!(simplified(|x, _| x - 0.0), x);
    assert_eq!(simplified(|x, _| -(-x)), x);
    assert_eq!(simplified(|x, _| x * -1.0), "input 0; neg %0; roots %1");
    assert_eq!(simplified(|x, _| 0.0 - x), "input 0; neg %0; roots %1");
    assert_eq!(simplified(|x, _| (-x).abs()), "input 0; abs %0; roots %1");
    assert_eq!(simplified(|x, _| -x * -x), "input 0; mul %0 %0; roots %1");
    assert_eq!(simplified(|x, _| x.exp() + -x), "input 0; exp %0; sub %1 %0; roots %2");
    assert_eq!(simplified(|x, _| -x + x.exp()), "input 0; exp %0; sub %1 %0; roots %2");
    assert_eq!(simplified(|x, _| x.exp() - -x), "input 0; exp %0; add %1 %0; roots %2");

    let doubled = "input 0; const 2.0; broadcast %1; mul %0 %2; roots %3";
    assert_eq!(simplified(|x, _| x + x), doubled);
    assert_eq!(simplified(|x, _| x / 0.5), doubled);
    assert_eq!(simplified(|x, _| x * 4.0 * 0.5), doubled);
    assert_eq!(simplified(|x, _| -x * -2.0), doubled);
    assert_eq!(simplified(|x, _| x * (1.0 + x.formula().number(1.0))), doubled);
    let thirds = "input 0; const 3.0; broadcast %1; div %0 %2; roots %3";
    assert_eq!(simplified(|x, _| x / 3.0), thirds, "a third is not exact");
    let halved = "input 0; per_row(0.5); broadcast %1; mul %0 %2; roots %3";
    assert_eq!(simplified(|x, _| x * per_row(x, 0.25) * 2.0), halved);
    let scaled = "input 0; per_row(3); broadcast %1; mul %0 %2; roots %3";
    assert_eq!(simplified(|x, s| x * s * 3.0), scaled);

    // What IEEE 754 tells apart stays.
    let zero = "input 0; const 0.0; broadcast %1; mul %0 %2; roots %3";
    assert_eq!(simplified(|x, _| x * 0.0), zero, "inf 0 is NaN");
    assert_eq!(simplified(|x, _| x - x), "input 0; sub %0 %0; roots %1", "inf - inf is NaN");
    assert_eq!(simplified(|x, _| x / x), "input 0; div %0 %0; roots %1");

    // Common subexpressions, in either order of commutative operands only.
    let common = "input 0; exp %0; mul %0 %1; add %2 %2; roots %3";
    assert_eq!(simplified(|x, _| (x * x.exp()).max(x.exp() * x)), common.replace("add", "max"));
    assert_eq!(
        simplified(|x, _| (x - x.exp()) * (x.exp() - x)),
        "input 0; exp %0; sub %0 %1; sub %1 %0; mul %2 %3; roots %4"
    );
}

#[test]
fn logarithms_are_rewritten_to_their_stable_forms() {
    assert_eq!(
        simplified(|x, _| x.sigmoid().log()),
        "input 0; neg %0; softplus %1; neg %2; roots %3"
    );
    assert_eq!(
        simplified(|x, _| (1.0 - x.sigmoid()).log()),
        "input 0; softplus %0; neg %1; roots %2"
    );
    assert_eq!(simplified(|x, _| x.softmax().log()), "input 0; log_softmax %0; roots %1");
    // A sigmoid that something else needs stays beside.
    assert_eq!(
        simplified(|x, _| x.sigmoid().log() * x.sigmoid()),
        "input 0; sigmoid %0; neg %0; softplus %2; neg %3; mul %4 %1; roots %5"
    );
}

#[test]
fn the_first_layer_has_no_gradient_of_its_input() {
    let model = lowered(NETS[0].1);
    let step = train_step(&model).to_string();
    assert_eq!(step.matches("matmul_tn").count(), 3);
    assert_eq!(step.matches("matmul_nt").count(), 2);
}

#[test]
fn frozen_parameters_are_not_updated() {
    let source = NETS[0].1.replace("output y", "freeze h  output y");
    let step = train_step(&simplify_model(lowered(&source)));
    let assigned: Vec<String> = step.roots[1..]
        .iter()
        .map(|root| step.node(step.node(*root).inputs[0]).op.to_string())
        .collect();
    assert_eq!(assigned, ["param 3", "param 4"]);
    assert_eq!(step.to_string().matches("matmul_nt").count(), 0);
}

/// A chain of 1,000 dense layers: every pass has to be linear, and none may recurse.
#[test]
fn a_thousand_layers() {
    let mut source = String::from("net deep { input x: [N, 8]\n h0 = x\n");
    for i in 1..=1000 {
        writeln!(source, "h{i} = h{} |> dense(8) |> tanh", i - 1).unwrap();
    }
    source += "output y = h1000 }
        train { target t: [N, 8]  loss = mse(y, t)  optimizer = adam }";
    let model = simplify_model(lowered(&source));
    assert_eq!(model.params.len(), 2000);
    let step = train_step(&model);
    verify(&step).unwrap();
    let simple = simplify(&step);
    verify(&simple).unwrap();
    assert_eq!(simple.roots.len(), 1 + 3 * 2000);
}

#[test]
fn an_ill_formed_graph_is_told() {
    let good = lowered(NETS[0].1).graph;
    let told = |change: fn(&mut Graph)| {
        let mut graph = good.clone();
        change(&mut graph);
        verify(&graph).unwrap_err()
    };
    assert_eq!(
        told(|g| g.nodes[2].shape = Shape::fixed(&[7])),
        "%2 (param 1): it says f32[7], but its operands make f32[5]"
    );
    assert_eq!(
        told(|g| g.nodes[3].inputs[0] = NodeId(3)),
        "%3 (matmul): its input %3 does not come before it"
    );
    assert_eq!(
        told(|g| g.nodes[3].inputs[0] = NodeId(2)),
        "%3 (matmul): [5] has rows of 5, but [4, 5] multiplies rows of 4"
    );
    assert_eq!(told(|g| g.roots.push(NodeId(999))), "the root %999 does not exist");
    assert_eq!(told(|g| g.nodes[1].origin.0 = 99), "%1 (param 0): its origin does not exist");
    assert_eq!(
        told(|g| {
            g.add(arenet_compiler::graph::op::Assign, &[NodeId(0), NodeId(0)]);
        }),
        "%22 assigns to %0, which is no parameter or state"
    );
    assert_eq!(
        told(|g| {
            g.add(arenet_compiler::graph::op::Assign, &[NodeId(1), NodeId(1)]);
            g.add(arenet_compiler::graph::op::Assign, &[NodeId(1), NodeId(1)]);
        }),
        "%23 assigns to %1, which is assigned already"
    );
}

const SEED: &str = "net seed {
    input x: [N, 3]
    h = x |> dense(3) |> sigmoid
    output y = h |> dense(2) |> sigmoid
}
train {
    target t: [N, 2]
    loss = mse(y, t)
    metric accuracy(y, t)
    optimizer = sgd(lr: 0.5, momentum: 0.9)
}";

/// The program as a listing; and nothing of it can change without a trace.
#[test]
fn text_of_a_program() {
    let options = Options { batch: Some(4), ..Options::default() };
    let program = compile(SEED, &options).unwrap_or_else(|found| panic!("{found:#?}")).program;
    let text = |program: &Program| listing(program, EntryPoint::Train);
    common::golden("seed-program", &text(&program));
    let changes: [fn(&mut Program); 6] = [
        |program| program.buffers[1].offset += 64,
        |program| program.routines[EntryPoint::Train].steps.swap(0, 1),
        |program| program.arena_bytes += 64,
        |program| program.params[0].name.push('x'),
        |program| program.training.as_mut().unwrap().schedules[0].base = 0.25,
        |program| {
            for step in &mut program.routines[EntryPoint::Train].steps {
                if let Kernel::Gemm(gemm) = &mut step.kernel {
                    gemm.b_transposed = !gemm.b_transposed;
                }
            }
        },
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut other = program.program().clone();
        change(&mut other);
        assert_ne!(text(&other), text(&program), "change {index}");
    }
}

/// The numbers of the host have long names.
#[test]
fn the_columns_of_a_listing_stay_in_line() {
    let source = SEED.replace("sgd(lr: 0.5, momentum: 0.9)", "adam(lr: cosine(0.5))");
    let program =
        compile(&source, &Options::default()).unwrap_or_else(|e| panic!("{e:#?}")).program;
    let text = listing(&program, EntryPoint::Train);
    let table = text.lines().skip_while(|line| !line.starts_with("buffer"));
    let rows: Vec<&str> = table.take_while(|line| !line.is_empty()).collect();
    assert!(rows.iter().any(|row| row.starts_with("1/sqrt(1-0.999^(step+1)) ")), "{text}");
    let layout = rows[0].find("layout").unwrap();
    for row in &rows[1..] {
        let (before, after) = row.split_at(layout);
        assert!(before.ends_with("  ") && ["f32 ", "i32 "].contains(&&after[..4]), "{row}");
    }
}

#[test]
fn texts_of_graphs() {
    let model = lowered(SEED);
    common::golden("seed-lowered", &model.graph.to_string());
    common::golden("seed-step", &train_step(&model).to_string());
    let model = simplify_model(model);
    common::golden("seed-simplified", &model.graph.to_string());
    common::golden("seed-step-simplified", &simplify(&train_step(&model)).to_string());
    let classes = simplify_model(lowered(NETS[1].1));
    common::golden("classes-step-simplified", &simplify(&train_step(&classes)).to_string());
}

#[test]
fn what_limits_gradients_comes_from_its_setting() {
    let model = simplify_model(lowered(
        "net m { input x: [N, 3]  output y = x |> dense(2) }
         train { target t: [N, 2]  loss = mse(y, t)  optimizer = sgd  clip_norm = 1
                 metric mae(y, t) }",
    ));
    let graph = train_step(&model);
    let name = |id: NodeId| graph.origin(id).map_or("", |origin| &origin.name).to_string();
    let roots = |id: &NodeId| graph.node(*id).op.text() == "sqrt";
    let found: Vec<String> = graph.ids().filter(roots).map(name).collect();
    assert_eq!(found, ["clip_norm"]);
}
