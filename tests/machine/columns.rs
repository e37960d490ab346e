//! Batches of narrow rows in columns, in programs made by hand: every kernel that reads or writes
//! them gives the bits of scalar chains, or those of the same rows in rows, for any part of the
//! batch that the program is planned for.

use crate::common::draft::{Draft, Form, Matrix, bits, read};
use crate::common::{Numbers, sums};
use arenet_runtime::exec::{EntryPoint, Executor, Options, Side};
use arenet_runtime::program::{
    BufferId, ColumnSum, CrossEntropy, Expr, Gemm, Instr, Kernel, Load, Opcode, Reduce, Softmax,
    Span, Spread, Value,
};

fn load(buffer: BufferId, spread: Spread) -> Load {
    Load { buffer, spread }
}

fn store(result: BufferId) -> Expr {
    Expr { stores: vec![(Value::Result, result)], ..Expr::default() }
}

/// The rows of a run, and those it is planned for: all remainders, full batches among them, and
/// one, two and many vectors.
fn batches() -> impl Iterator<Item = (usize, usize)> {
    (1..=70).map(|rows| (rows, [rows, rows + 1, 70, 80, 256][rows % 5].max(rows)))
}

/// The same where a sum over the rows is several chains.
fn long_batches() -> impl Iterator<Item = (usize, usize)> {
    [(257, 300), (512, 512), (777, 1000)].into_iter()
}

/// What a product is made of.
#[derive(Clone, Copy, Debug)]
struct Product {
    a: Form,
    b: Form,
    b_transposed: bool,
    c: Form,
    bias: bool,
    /// Whether an expression with every spread follows.
    tail: bool,
}

fn products() -> Vec<Product> {
    use Form::{Columns, Panels, Rows};
    let forms = [(Rows, Columns), (Columns, Columns), (Columns, Rows)];
    let product = |i: usize| {
        let flag = |bit: u32| ((i / forms.len()) >> bit) % 2 == 1;
        Product {
            a: forms[i % forms.len()].0,
            c: forms[i % forms.len()].1,
            b: if flag(0) { Panels } else { Rows },
            b_transposed: flag(1),
            bias: flag(2),
            tail: flag(3),
        }
    };
    (0..48).map(product).collect()
}

/// C = A op(B) + bias, and maybe (C column + row) + D scale beside it.
fn check_product(form: Product, (rows, batch): (usize, usize), n: usize, k: usize) {
    let mut numbers = Numbers::new((rows * 10_000 + n * 100 + k) as u64);
    let mut draft = Draft::new(batch, rows);
    let mut random = |rows, cols| Matrix::random(&mut numbers, rows, cols);
    let (a, b, bias) = (random(rows, k), random(k, n), random(1, n));
    let (d, column, row) = (random(rows, n), random(rows, 1), random(1, n));
    let scale = 0.75;
    let stored = match form.b_transposed {
        true => Matrix::from_fn(n, k, |i, j| b.at(j, i)),
        false => b.clone(),
    };
    let c = draft.result(form.c, None, n);
    let e = draft.result(form.c, None, n);
    let loads = vec![
        load(draft.port(form.c, &d), Spread::Full),
        load(draft.port(Form::List, &column), Spread::Column),
        load(draft.param(Form::Rows, &row), Spread::Row),
        load(draft.scalar(scale), Spread::Scalar),
    ];
    let tail = Expr {
        loads,
        code: vec![
            instr([Value::Result, Value::Load(1), Value::Load(2)]),
            instr([Value::Load(0), Value::Load(3), Value::Instr(0)]),
        ],
        stores: vec![(Value::Result, c), (Value::Instr(1), e)],
        ..Expr::default()
    };
    let gemm = Gemm {
        a: draft.port(form.a, &a),
        a_transposed: false,
        b: draft.param(form.b, &stored),
        b_transposed: form.b_transposed,
        bias: form.bias.then(|| draft.param(Form::Rows, &bias)),
        tail: if form.tail { tail } else { store(c) },
        column_sums: None,
    };
    let start = |j| if form.bias { bias.at(0, j) } else { 0.0 };
    let chain = |i, j| (0..k).fold(start(j), |sum, l| a.at(i, l).mul_add(b.at(l, j), sum));
    let product = Matrix::from_fn(rows, n, chain);
    let spread = Matrix::from_fn(rows, n, |i, j| {
        let sum = product.at(i, j).mul_add(column.at(i, 0), row.at(0, j));
        d.at(i, j).mul_add(scale, sum)
    });
    let mut expected = vec![(c, product), (e, spread)];
    expected.truncate(if form.tail { 2 } else { 1 });
    draft.check(&format!("{form:?}, n {n}, k {k}"), &[Kernel::Gemm(gemm)], &expected);
}

/// a b + c, rounded once.
fn instr(args: [Value; 3]) -> Instr {
    Instr { op: Opcode::MulAdd, args }
}

#[test]
fn a_product_is_the_chain_in_any_mix_of_rows_and_columns() {
    for (i, form) in products().into_iter().enumerate() {
        for (j, batch) in batches().enumerate().skip(i % 7).step_by(7) {
            let n = 1 + (i * 5 + j) % 12;
            let k = 1 + (i * 7 + j * 3) % 40;
            // A result in columns reads its weight by strides, as a single panel has them.
            let single = form.b == Form::Panels && form.b_transposed && form.c == Form::Columns;
            check_product(form, batch, n, if single { k.min(16) } else { k });
        }
    }
}

#[test]
fn a_long_product_of_columns_is_the_chain() {
    // The columns of A, or of a transposed B, lie as the rows of a transposed operand, which a long
    // product packs.
    let forms = products().into_iter().filter(|form| form.a == Form::Columns && form.bias);
    for (i, form) in forms.enumerate() {
        let single = form.b == Form::Panels && form.c == Form::Columns;
        let k = if single { 16 } else { 96 + i };
        let n = if single { 16 } else { 50 + i };
        check_product(form, (140 + i, 200), 7, k);
        check_product(form, (97, 97), n, k);
    }
}

#[test]
fn a_wide_batch_of_wide_rows_is_the_chain() {
    // Straight-line code has no room for more than eight vectors of a transposed operand.
    for form in products().into_iter().filter(|form| form.b == Form::Rows) {
        check_product(form, (129, 129), 2, 3);
        check_product(form, (300, 1000), 12, 100);
    }
}

/// C = Xᵀ Z, and the sums of Z's columns.
fn check_gradient([x, z, c]: [Form; 3], (rows, batch): (usize, usize), m: usize, n: usize) {
    let mut numbers = Numbers::new((rows * 10_000 + m * 100 + n) as u64);
    let mut draft = Draft::new(batch, rows);
    let (xs, zs) = (Matrix::random(&mut numbers, rows, m), Matrix::random(&mut numbers, rows, n));
    let result = draft.result(c, Some(m), n);
    let sums = draft.result(Form::Rows, Some(1), n);
    let gemm = Gemm {
        a: draft.port(x, &xs),
        a_transposed: true,
        b: draft.port(z, &zs),
        b_transposed: false,
        bias: None,
        tail: store(result),
        column_sums: Some(store(sums)),
    };
    let chain = |i, j| {
        sums::sum(sums::OVER_ROWS, 0.0, rows, |sum, l| xs.at(l, i).mul_add(zs.at(l, j), sum))
    };
    let expected = Matrix::from_fn(m, n, chain);
    let column = |_, j| sums::sum(sums::COLUMN, 0.0, rows, |sum, l| sum + zs.at(l, j));
    let sum = Matrix::from_fn(1, n, column);
    let what = format!("the gradient of {m} x {n}, {x:?} {z:?} {c:?}");
    draft.check(&what, &[Kernel::Gemm(gemm)], &[(result, expected), (sums, sum)]);
}

#[test]
fn the_gradient_of_a_weight_is_the_chain_over_the_rows() {
    use Form::{Columns, Panels, Rows};
    for (i, (x, z)) in [(Rows, Columns), (Columns, Rows), (Columns, Columns)].iter().enumerate() {
        for (j, batch) in batches().enumerate() {
            let (m, n) = (1 + (i + j * 5) % 12, 1 + (i * 3 + j * 7) % 12);
            let c = if j % 2 == 0 { Rows } else { Panels };
            check_gradient([*x, *z, c], batch, m, n);
            // The other layer's values are wide.
            let wide = 13 + j * 3 % 60;
            match (x, z) {
                (Columns, _) => check_gradient([*x, *z, c], batch, m, wide),
                _ => check_gradient([*x, *z, c], batch, wide, n),
            }
        }
        for batch in long_batches() {
            check_gradient([*x, *z, Rows], batch, 3, 5);
            check_gradient([*x, *z, Panels], batch, 11, 9);
        }
        // So long that the rows of Xᵀ would be packed, did they not lie in columns.
        check_gradient([*x, *z, Panels], (130, 150), 60, 11);
        check_gradient([*x, *z, Rows], (150, 150), 11, 60);
    }
}

#[test]
fn a_step_may_write_what_the_product_before_reads() {
    // W <- W - rate A W: no row of the product may see the new rows of W.
    let mut numbers = Numbers::new(9);
    let [a, w] = [(); 2].map(|()| Matrix::random(&mut numbers, 8, 8));
    let mut draft = Draft::new(1, 1);
    let [left, right] = [&a, &w].map(|matrix| draft.param(Form::Rows, matrix));
    let (c, rate) = (draft.result(Form::Rows, Some(8), 8), draft.scalar(0.5));
    let product = Kernel::Gemm(Gemm {
        a: left,
        a_transposed: false,
        b: right,
        b_transposed: false,
        bias: None,
        tail: store(c),
        column_sums: None,
    });
    let code = [Value::Load(0), Value::Load(1), Value::Load(2)];
    let update = Kernel::Map(Expr {
        loads: vec![load(c, Spread::Full), load(rate, Spread::Scalar), load(right, Spread::Full)],
        code: vec![Instr { op: Opcode::NegMulAdd, args: code }],
        stores: vec![(Value::Instr(0), right)],
        ..Expr::default()
    });
    let sum = |i, j| (0..8).fold(0.0, |sum, l| a.at(i, l).mul_add(w.at(l, j), sum));
    let expected = Matrix::from_fn(8, 8, |i, j| (-0.5f32).mul_add(sum(i, j), w.at(i, j)));
    draft.check("an update by a product", &[product, update], &[(right, expected)]);
}

#[test]
fn the_sum_of_a_column_is_the_chain_over_the_rows() {
    for (i, (rows, batch)) in batches().chain(long_batches()).enumerate() {
        let cols = 1 + i % 20;
        let x = Matrix::random(&mut Numbers::new(i as u64), rows, cols);
        let mut draft = Draft::new(batch, rows);
        let (from, to) = (draft.port(Form::Columns, &x), draft.result(Form::Rows, Some(1), cols));
        let sum = |_, j| sums::sum(sums::COLUMN, 0.0, rows, |sum, i| sum + x.at(i, j));
        let kernel = Kernel::ColumnSum(ColumnSum { x: from, tail: store(to) });
        let expected = Matrix::from_fn(1, cols, sum);
        draft.check(&format!("{cols} column sums"), &[kernel], &[(to, expected)]);
    }
}

#[test]
fn an_expression_in_columns_sees_rows_columns_and_numbers() {
    for (i, (rows, batch)) in batches().chain([(600, 600), (599, 1024)]).enumerate() {
        let cols = 1 + i % 12;
        let mut numbers = Numbers::new(i as u64);
        let mut random = |rows, cols| Matrix::random(&mut numbers, rows, cols);
        let (x, column, row) = (random(rows, cols), random(rows, 1), random(1, cols));
        let scale = -1.25;
        // One element a row is a list in columns just as in rows.
        let list = if i % 2 == 0 { Form::List } else { Form::Columns };
        let mut draft = Draft::new(batch, rows);
        let to = [(); 2].map(|()| draft.result(Form::Columns, None, cols));
        let expr = Expr {
            loads: vec![
                load(draft.port(Form::Columns, &x), Spread::Full),
                load(draft.port(list, &column), Spread::Column),
                load(draft.param(Form::Rows, &row), Spread::Row),
                load(draft.scalar(scale), Spread::Scalar),
            ],
            code: vec![
                instr([Value::Load(0), Value::Load(1), Value::Load(2)]),
                instr([Value::Instr(0), Value::Load(3), Value::Load(1)]),
            ],
            stores: vec![(Value::Instr(0), to[0]), (Value::Instr(1), to[1])],
            ..Expr::default()
        };
        let first = |i, j| x.at(i, j).mul_add(column.at(i, 0), row.at(0, j));
        let first = Matrix::from_fn(rows, cols, first);
        let second = |i, j| first.at(i, j).mul_add(scale, column.at(i, 0));
        let second = Matrix::from_fn(rows, cols, second);
        let expected = [(to[0], first), (to[1], second)];
        draft.check(&format!("a map of {cols} columns"), &[Kernel::Map(expr)], &expected);
    }
}

/// Sixteen lanes run down the columns one after another, then are added by a tree.
fn lane_sum(rows: usize, cols: usize, value: impl Fn(usize, usize) -> f32) -> f32 {
    let vecs = rows.div_ceil(16);
    sums::lane_sum(vecs * cols, |vec, lane| {
        let (row, col) = (vec % vecs * 16 + lane, vec / vecs);
        if row < rows { value(row, col) } else { 0.0 }
    })
}

#[test]
fn a_sum_of_everything_counts_the_rows_that_are_there() {
    for (i, (rows, batch)) in batches().chain([(600, 600), (599, 1024)]).enumerate() {
        let cols = 1 + i % 12;
        let mut numbers = Numbers::new(i as u64);
        let mut random = |rows, cols| Matrix::random(&mut numbers, rows, cols);
        let (x, column, row) = (random(rows, cols), random(rows, 1), random(1, cols));
        let mut draft = Draft::new(batch, rows);
        let over = draft.port(Form::Columns, &x);
        let sums = [(); 2].map(|()| draft.result(Form::Rows, Some(1), 1));
        let spread = Expr {
            loads: vec![
                load(over, Spread::Full),
                load(draft.port(Form::List, &column), Spread::Column),
                load(draft.param(Form::Rows, &row), Spread::Row),
            ],
            code: vec![instr([Value::Load(0), Value::Load(1), Value::Load(2)])],
            ..Expr::default()
        };
        let plain = Expr { loads: vec![load(over, Spread::Full)], ..Expr::default() };
        let reduce =
            |body, sum| Kernel::Reduce(Reduce { body, over, span: Span::All, tail: store(sum) });
        let kernels = [reduce(plain, sums[0]), reduce(spread, sums[1])];
        let one = |value| Matrix { cols: 1, data: vec![value] };
        let term = |i, j| x.at(i, j).mul_add(column.at(i, 0), row.at(0, j));
        let expected = [
            (sums[0], one(lane_sum(rows, cols, |i, j| x.at(i, j)))),
            (sums[1], one(lane_sum(rows, cols, term))),
        ];
        draft.check(&format!("a sum over {cols} columns"), &kernels, &expected);
    }
}

#[test]
fn ports_in_columns_are_written_and_read_in_parts() {
    for (i, (rows, batch)) in batches().enumerate() {
        let cols = 1 + i % 12;
        let x = Matrix::random(&mut Numbers::new(i as u64), rows, cols);
        let mut draft = Draft::new(batch, rows);
        let (from, to) = (draft.port(Form::Columns, &x), draft.result(Form::Columns, None, cols));
        let loads = vec![load(from, Spread::Full)];
        let copy = Expr { loads, stores: vec![(Value::Load(0), to)], ..Expr::default() };
        let program = draft.verified(&[Kernel::Map(copy)], 0);
        let mut executor = Executor::new(program.clone(), Options::default()).unwrap();
        let [port, output] = [0, 1].map(|i| program.program().outputs[i].buffer);
        assert_eq!([port, output], [from, to]);

        let all = vec![9.0; batch * cols];
        executor.put_rows(Side::Inputs, &all, 0..batch);
        assert_eq!(read(&executor, from, batch), all);
        executor.put_rows(Side::Inputs, &x.data, 0..rows);
        // Rows beyond those written keep what they had.
        let held = [&x.data[..], &all[x.data.len()..]].concat();
        assert_eq!(read(&executor, from, batch), held);
        executor.run(EntryPoint::Train, rows).unwrap();
        let mut values = vec![0.0; rows * cols];
        executor.take_rows(&mut (vec![0.0; rows * cols], &mut values), 0..rows);
        assert_eq!(values, x.data);
        assert_eq!(read(&executor, to, rows), x.data);

        // Again in two parts, the later one first.
        let half = rows / 2;
        let port = &program.program().inputs[0];
        executor.write_floats(port, 0, &all).unwrap();
        executor.write_floats(port, half, &x.data[half * cols..]).unwrap();
        executor.write_floats(port, 0, &x.data[..half * cols]).unwrap();
        assert_eq!(read(&executor, from, batch), held);
    }
}

/// Logits in reach of each other and far apart, and what a step gone wrong may leave: NaN,
/// infinities, and zeros of both signs.
fn logits(numbers: &mut Numbers, rows: usize, cols: usize) -> Matrix {
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.0, 0.0, 1e38, -1e38, 90.0];
    let mut logits = Matrix::random(numbers, rows, cols);
    for (i, row) in logits.data.chunks_mut(cols).enumerate() {
        let mut place = |value| row[(numbers.next() * cols as f64) as usize] = value;
        match i % 5 {
            0 => {}
            1 => row.iter_mut().for_each(|x| *x *= 50.0),
            2 => row.iter_mut().for_each(|x| *x = x.round()),
            3 => place(odd[i / 5 % odd.len()]),
            _ => (0..3).for_each(|j| place(odd[(i / 5 * 3 + j) % odd.len()])),
        }
    }
    logits
}

/// Runs softmax, its logarithm, and cross-entropy with its gradient on logits that lie in `form`,
/// and returns all that they write.
fn classify(
    form: Form,
    (rows, batch): (usize, usize),
    cols: usize,
    per_row: bool,
) -> Vec<Vec<u32>> {
    let mut numbers = Numbers::new((rows * 100 + cols) as u64);
    let mut draft = Draft::new(batch, rows);
    let x = draft.port(form, &logits(&mut numbers, rows, cols));
    let class = |_| (numbers.next() * cols as f64) as i32;
    let classes: Vec<i32> = (0..rows).map(class).collect();
    let target = draft.target(&classes, cols);
    let factors = Matrix::random(&mut numbers, rows, 1);
    let scale = if per_row { draft.port(Form::List, &factors) } else { draft.scalar(0.3) };
    let results @ [y, log_y, grad, alone] = [(); 4].map(|()| draft.result(form, None, cols));
    let loss = draft.result(Form::List, None, 1);
    let cross_entropy =
        |x, loss, grad| Kernel::CrossEntropy(CrossEntropy { x, target, loss, grad });
    let in_place @ [own_y, own_grad] = [(); 2].map(|()| draft.result(form, None, cols));
    let copies = Expr {
        loads: vec![load(x, Spread::Full)],
        stores: in_place.map(|id| (Value::Load(0), id)).to_vec(),
        ..Expr::default()
    };
    let kernels = [
        Kernel::Softmax(Softmax { x, y, log: false }),
        Kernel::Softmax(Softmax { x, y: log_y, log: true }),
        cross_entropy(x, Some(loss), Some((grad, scale))),
        cross_entropy(x, None, Some((alone, scale))),
        Kernel::Map(copies),
        Kernel::Softmax(Softmax { x: own_y, y: own_y, log: false }),
        cross_entropy(own_grad, None, Some((own_grad, scale))),
    ];
    let mut first: Option<Vec<Vec<u32>>> = None;
    draft.run(&kernels, |executor, how| {
        let all = results.iter().chain(&in_place).chain([&loss]);
        let found: Vec<_> = all.map(|&id| bits(&read(executor, id, rows))).collect();
        let [y, _, grad, alone, own_y, own_grad, _] = &found[..] else { unreachable!() };
        assert!(grad == alone, "the gradient does not depend on the loss");
        assert!(y == own_y && grad == own_grad, "nor does anything on its place");
        let first = first.get_or_insert_with(|| found.clone());
        assert!(*first == found, "{form:?} {cols} classes, {rows} of {batch} rows, {how}");
    });
    first.expect("there is an instruction set")
}

#[test]
fn classes_in_columns_give_the_bits_of_classes_in_rows() {
    for (i, batch) in batches().enumerate() {
        for cols in [1 + i % 16, 1 + (i * 5 + 7) % 16] {
            let [rows, columns] =
                [Form::Rows, Form::Columns].map(|form| classify(form, batch, cols, i % 2 == 0));
            assert!(rows == columns, "{cols} classes, {batch:?} rows");
        }
    }
}
