//! Mistakes in items, expressions and types.

use super::check_errors;

#[test]
fn a_missing_value() {
    check_errors(
        r"
        const A =
        const B = 3 +
        const C = -
        const D = ()
        const E = --1
        const F = *2
        const G = |>
        const H = a = b
        ",
        r"
        error[unexpected-token]: expected a value, found the keyword `const`
         --> m.net:1:10
          |
        1 | const A =
          |          ^

        error[unexpected-token]: expected a value, found the keyword `const`
         --> m.net:2:14
          |
        2 | const B = 3 +
          |              ^

        error[unexpected-token]: expected a value, found the keyword `const`
         --> m.net:3:12
          |
        3 | const C = -
          |            ^

        error[unexpected-token]: expected a value, found `)`
         --> m.net:4:12
          |
        4 | const D = ()
          |            ^

        error[unexpected-token]: expected a value, found `-`
         --> m.net:5:12
          |
        5 | const E = --1
          |            ^

        error[unexpected-token]: expected a value, found `*`
         --> m.net:6:11
          |
        6 | const F = *2
          |           ^

        error[unexpected-token]: expected a value, found `|>`
         --> m.net:7:11
          |
        7 | const G = |>
          |           ^^

        error[unexpected-token]: expected a value, found `a =`
         --> m.net:8:11
          |
        8 | const H = a = b
          |           ^
        ",
    );
}

#[test]
fn a_missing_value_before_a_binding() {
    check_errors(
        r"
        net n {
            h =
            k = 1
        }
        ",
        r"
        error[unexpected-token]: expected a value, found `k =`
         --> m.net:2:8
          |
        2 |     h =
          |        ^
        ",
    );
}

#[test]
fn a_missing_layer_after_a_pipe() {
    check_errors(
        r"
        const A = x |> 3
        const B = x |>
        const C = x |> (f)
        ",
        r"
        error[unexpected-token]: expected a layer or function after `|>`, found `3`
         --> m.net:1:16
          |
        1 | const A = x |> 3
          |                ^
          |
          = help: a pipe reads `x |> relu` or `x |> dense(3)`

        error[unexpected-token]: expected a layer or function after `|>`, found the keyword `const`
         --> m.net:2:15
          |
        2 | const B = x |>
          |               ^
          |
          = help: a pipe reads `x |> relu` or `x |> dense(3)`

        error[unexpected-token]: expected a layer or function after `|>`, found `(`
         --> m.net:3:16
          |
        3 | const C = x |> (f)
          |                ^
          |
          = help: a pipe reads `x |> relu` or `x |> dense(3)`
        ",
    );
}

#[test]
fn a_missing_equals_sign() {
    check_errors(
        r"
        const A 3
        net n {
            h x |> relu
            layer f(x) relu(x)
        }
        train {
            batch 16
            optimizer sgd(lr: 1)
            epochs
            seed = 1
        }
        ",
        r"
        error[unexpected-token]: expected `=` after `A`, found `3`
         --> m.net:1:9
          |
        1 | const A 3
          |         ^

        error[unexpected-token]: expected `=` after `h`, found `x`
         --> m.net:3:7
          |
        3 |     h x |> relu
          |       ^

        error[unexpected-token]: expected `=` after `f`, found `relu`
         --> m.net:4:16
          |
        4 |     layer f(x) relu(x)
          |                ^^^^

        error[unexpected-token]: expected `=` after `batch`, found `16`
         --> m.net:7:11
          |
        7 |     batch 16
          |           ^^

        error[unexpected-token]: expected `=` after `optimizer`, found `sgd`
         --> m.net:8:15
          |
        8 |     optimizer sgd(lr: 1)
          |               ^^^

        error[unexpected-token]: expected `=` after `epochs`, found `seed`
         --> m.net:9:5
          |
        9 |     epochs
          |     ^^^^^^
        ",
    );
}

#[test]
fn arguments_named_with_an_equals_sign() {
    check_errors(
        r"
        train {
            optimizer = sgd(lr = 0.1, momentum = 0.9)
            loss = f(
                lr = 0.1,
                by = 3)
        }
        ",
        r"
        error[foreign-syntax]: an argument is named with `:`, not `=`
         --> m.net:2:24
          |
        2 |     optimizer = sgd(lr = 0.1, momentum = 0.9)
          |                        ^
          |
          = help: write `lr: 0.1`

        error[foreign-syntax]: an argument is named with `:`, not `=`
         --> m.net:2:40
          |
        2 |     optimizer = sgd(lr = 0.1, momentum = 0.9)
          |                                        ^
          |
          = help: write `momentum: 0.9`

        error[foreign-syntax]: an argument is named with `:`, not `=`
         --> m.net:4:12
          |
        4 |         lr = 0.1,
          |            ^
          |
          = help: write `lr: 0.1`

        error[foreign-syntax]: an argument is named with `:`, not `=`
         --> m.net:5:12
          |
        5 |         by = 3)
          |            ^
          |
          = help: write `by: 3`
        ",
    );
}

#[test]
fn an_argument_without_a_value() {
    check_errors(
        r"
        const A = f(lr: , 1)
        ",
        r"
        error[unexpected-token]: expected a value, found `,`
         --> m.net:1:17
          |
        1 | const A = f(lr: , 1)
          |                 ^
        ",
    );
}

#[test]
fn methods() {
    check_errors(
        r"
        const A = x.dense(3)
        ",
        r"
        error[foreign-syntax]: `dense` is called like a method
         --> m.net:1:13
          |
        1 | const A = x.dense(3)
          |             ^^^^^
          |
          = help: a call is `f(x)` or `x |> f`
        ",
    );
}

#[test]
fn modules() {
    check_errors(
        r"
        const A = nn.ReLU(x) + torch.nn.functional.gelu(x)
        const B = x |> F.relu(3)
        const C = nn.w
        ",
        r"
        error[foreign-syntax]: functions stand in no module
         --> m.net:1:11
          |
        1 | const A = nn.ReLU(x) + torch.nn.functional.gelu(x)
          |           ^^^
          |
          = help: write `ReLU(...)` alone

        error[foreign-syntax]: functions stand in no module
         --> m.net:1:24
          |
        1 | const A = nn.ReLU(x) + torch.nn.functional.gelu(x)
          |                        ^^^^^^^^^^^^^^^^^^^^
          |
          = help: write `gelu(...)` alone

        error[foreign-syntax]: functions stand in no module
         --> m.net:2:16
          |
        2 | const B = x |> F.relu(3)
          |                ^^
          |
          = help: write `relu(...)` alone
        ",
    );
}

#[test]
fn fields() {
    check_errors(
        r"
        const A = x.3
        const B = x.
        ",
        r"
        error[unexpected-token]: expected the name of a parameter, found `3`
         --> m.net:1:13
          |
        1 | const A = x.3
          |             ^

        error[unexpected-token]: expected the name of a parameter, found the end of the file
         --> m.net:2:13
          |
        2 | const B = x.
          |             ^
        ",
    );
}

#[test]
fn types() {
    check_errors(
        r#"
        net n {
            input a: f32
            input b [N]
            input c: 3
            input d: [N - 1]
            input e: [N, (2)]
            input f: ["a"]
            input g: [1.5]
        }
        "#,
        r#"
        error[unexpected-token]: expected a type such as `[N, 4]` or `i32[N]`, found `f32`
         --> m.net:2:14
          |
        2 |     input a: f32
          |              ^^^
          |
          = help: a shape stands in brackets, `N` for the rows

        error[unexpected-token]: expected `:` and a type after `b`, found `[`
         --> m.net:3:13
          |
        3 |     input b [N]
          |             ^

        error[unexpected-token]: expected a type such as `[N, 4]` or `i32[N]`, found `3`
         --> m.net:4:14
          |
        4 |     input c: 3
          |              ^
          |
          = help: a shape stands in brackets, `N` for the rows

        error[unexpected-token]: expected `,` or `]`, found `-`
         --> m.net:5:17
          |
        5 |     input d: [N - 1]
          |                 ^
          |
          = help: a size is a whole number, a name, or a sum or product of those

        error[unexpected-token]: expected a size, found `(`
         --> m.net:6:18
          |
        6 |     input e: [N, (2)]
          |                  ^
          |
          = help: a size is a whole number, a name, or a sum or product of those

        error[unexpected-token]: expected a size, found a string
         --> m.net:7:15
          |
        7 |     input f: ["a"]
          |               ^^^
          |
          = help: a size is a whole number, a name, or a sum or product of those

        error[unexpected-token]: expected a size, found `1.5`
         --> m.net:8:15
          |
        8 |     input g: [1.5]
          |               ^^^
          |
          = help: a size is a whole number, a name, or a sum or product of those
        "#,
    );
}

#[test]
fn domains() {
    check_errors(
        r"
        net n {
            input a: [N] in 3
            input b: [N] in cat
            input c: [N] in 0..
            input d: [N] in []
            input e: [N] in [1, 2]
            input f: [N] in -1..1
        }
        ",
        r#"
        error[unexpected-token]: expected `..` and the end of the range, found the keyword `input`
         --> m.net:2:22
          |
        2 |     input a: [N] in 3
          |                      ^

        error[unexpected-token]: expected a domain such as `0..10` or `["cat", "dog"]`, found `cat`
         --> m.net:3:21
          |
        3 |     input b: [N] in cat
          |                     ^^^

        error[unexpected-token]: expected the end of the range, found the keyword `input`
         --> m.net:4:24
          |
        4 |     input c: [N] in 0..
          |                        ^

        error[unexpected-token]: expected a class name in quotes, found `]`
         --> m.net:5:22
          |
        5 |     input d: [N] in []
          |                      ^

        error[unexpected-token]: expected a class name in quotes, found `1`
         --> m.net:6:22
          |
        6 |     input e: [N] in [1, 2]
          |                      ^

        error[unexpected-token]: expected a domain such as `0..10` or `["cat", "dog"]`, found `-`
         --> m.net:7:21
          |
        7 |     input f: [N] in -1..1
          |                     ^
        "#,
    );
}

#[test]
fn columns_and_what_is_missing() {
    check_errors(
        r"
        net n {
            input a: [N] from mass
            input b: [N] from [2.., 3]
            input c: [N] missing: none
            input d: [N] missing: [none]
            input e: [N] missing unknown
            input f: [N] from []
            input g: [N] mising
        }
        ",
        r#"
        error[unexpected-token]: expected a column, by its name in quotes or its place, found `mass`
         --> m.net:2:23
          |
        2 |     input a: [N] from mass
          |                       ^^^^
          |
          = help: such as `from "mass"` or `from [0, 2..5]`

        error[unexpected-token]: expected the end of the range of columns, found `,`
         --> m.net:3:27
          |
        3 |     input b: [N] from [2.., 3]
          |                           ^

        error[unexpected-token]: expected a list of words such as `["none", "-9"]`, found `none`
         --> m.net:4:27
          |
        4 |     input c: [N] missing: none
          |                           ^^^^

        error[unexpected-token]: expected a word in quotes, found `none`
         --> m.net:5:28
          |
        5 |     input d: [N] missing: [none]
          |                            ^^^^

        error[duplicate-setting]: what stands behind a type is said once
         --> m.net:6:26
          |
        6 |     input e: [N] missing unknown
          |                          ^^^^^^^
          |
          = help: `unknown` has `missing` in it

        error[unexpected-token]: expected a column, by its name in quotes or its place, found `]`
         --> m.net:7:24
          |
        7 |     input f: [N] from []
          |                        ^
          |
          = help: such as `from "mass"` or `from [0, 2..5]`

        error[unexpected-token]: `mising` is nothing that stands behind a type
         --> m.net:8:18
          |
        8 |     input g: [N] mising
          |                  ^^^^^^
          |
          = help: did you mean `missing`?
        "#,
    );
}

#[test]
fn a_missing_name() {
    check_errors(
        r"
        net {
            h = = 3
        }
        block (x) { return $ }
        const = 1
        ",
        r"
        error[unexpected-token]: expected the name of the network, found `{`
         --> m.net:1:5
          |
        1 | net {
          |     ^

        error[unexpected-token]: expected a value, found `=`
         --> m.net:2:9
          |
        2 |     h = = 3
          |         ^

        error[unexpected-token]: expected the name of the block, found `(`
         --> m.net:4:7
          |
        4 | block (x) { return $ }
          |       ^

        error[unknown-character]: unknown character `$`
         --> m.net:4:20
          |
        4 | block (x) { return $ }
          |                    ^

        error[unexpected-token]: expected the name of the value, found `=`
         --> m.net:5:7
          |
        5 | const = 1
          |       ^
        ",
    );
}

#[test]
fn blocks_without_arguments() {
    check_errors(
        r"
        block a { return x }
        block b() { return x }
        block c(3) { return x }
        ",
        r"
        error[unexpected-token]: expected `(` and the arguments of `a`, found `{`
         --> m.net:1:9
          |
        1 | block a { return x }
          |         ^

        error[unexpected-token]: expected the name of an argument, found `)`
         --> m.net:2:9
          |
        2 | block b() { return x }
          |         ^

        error[unexpected-token]: expected the name of an argument, found `3`
         --> m.net:3:9
          |
        3 | block c(3) { return x }
          |         ^
        ",
    );
}
