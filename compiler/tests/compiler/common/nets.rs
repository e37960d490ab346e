//! Networks to test with.

/// Networks that use everything the language offers, away from kinks and ties.
pub const NETS: &[(&str, &str)] = &[
    (
        "a chain",
        "net m { input x: [N, 4]
            h = x |> dense(5) |> tanh |> dense(3, bias: false) |> sigmoid
            output y = h |> dense(2) }
         train { target t: [N, 2]  loss = mse(y, t)  optimizer = sgd }",
    ),
    (
        "classes",
        "net m { input x: [N, 4]  output y = x |> dense(6, init: he) |> gelu |> dense(3) }
         train { target t: i32[N]  loss = cross_entropy(y, t)  optimizer = adam }",
    ),
    (
        "rows within a row",
        "net m { input x: [N, 2, 3]  output y = x |> dense(4) |> silu |> dense(3) }
         train { target t: i32[N, 2]  loss = cross_entropy(y, t)  optimizer = adam }",
    ),
    (
        "one sigmoid output",
        "net m { input x: [N, 4]  output y = x |> dense(1) |> sigmoid }
         train { target t: [N, 1]  loss = bce(y, t)  optimizer = sgd }",
    ),
    (
        "binary cross-entropy of other outputs",
        "net m { input x: [N, 4]  output y = x |> dense(3) |> softmax }
         train { target t: [N, 3]  loss = bce(y, t * t)  optimizer = sgd }",
    ),
    (
        "several losses and a penalty",
        "net m { input x: [N, 4]
            h = x |> dense(5) |> softplus
            output a = h |> dense(3)
            output b = h |> dense(2) }
         train { target t: [N, 3]  target u: [N, 2]
            loss = 0.3 * mse(a, t) + bce_logits(b, u * u) + 0.01 * sum(h.w * h.w)
            optimizer = sgd }",
    ),
    (
        "a block, called twice",
        "block residual(x) { h = x |> dense(4) |> tanh  return x + h * 0.5 }
         net m { input x: [N, 4]  output y = x |> residual |> residual }
         train { target t: [N, 4]  loss = mse(y, t)  optimizer = sgd }",
    ),
    (
        "a shared layer",
        "net m { input a: [N, 3]  input b: [N, 3]
            layer encode(x) = x |> dense(4) |> tanh
            output y = encode(a) * encode(b) - encode(a) }
         train { target t: [N, 4]  loss = mse(y, t)  optimizer = sgd }",
    ),
    (
        "embeddings, one of them shared",
        "net m { input word: i32[N] in 0..5
            input tags: i32[N, 2] in 1..4  input tag: i32[N] in 1..4
            layer embed(x) = embedding(x, 3)
            output y = word |> embedding(4) |> tanh |> dense(3)
            output z = embed(tags) |> dense(2) |> tanh
            output u = embed(tag) * y }
         train { target t: [N, 3]  loss = mse(u, t) + mean(z * z)  optimizer = adam }",
    ),
    (
        "every pattern of broadcasting",
        "net m { input x: [N, 4]
            param row: [4] = uniform(1, 2)  param one: [] = constant(0.5)
            param single: [1] = ones()  param wide: [1, 4] = ones()
            param w: [4, 1] = normal(0, 1)
            column = x @ w
            output y = -x * row / (one + 3) + column - single * column + wide }
         train { target t: [N, 4]  loss = mse(y, t)  optimizer = sgd }",
    ),
    (
        "functions of positive values",
        "net m { input x: [N, 4]
            p = x |> dense(3) |> exp
            output y = sqrt(p) + log(p + 1) - p |> leaky_relu(0.2) |> log_softmax }
         train { target t: [N, 3]  loss = mean(abs(y - t) * exp(t))  optimizer = sgd }",
    ),
];
