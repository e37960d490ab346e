//! Mistakes in the statements of `net`, `train` and `block`.

use super::check_errors;

#[test]
fn statements_outside_of_everything() {
    check_errors(
        r"
        input x: [N]
        h = x
        net n {}
        ",
        r"
        error[misplaced-statement]: this statement stands outside of `net`, `train` and `block`
         --> m.net:1:1
          |
        1 | input x: [N]
          | ^^^^^
          |
          = help: statements stand between the braces of `net name { ... }`
        ",
    );
}

#[test]
fn statements_in_the_wrong_place() {
    check_errors(
        r"
        net n {
            const A = 1
            target t: [N]
            metric accuracy(y, t)
            return x
        }
        train {
            input x: [N]
            freeze h
        }
        block b(x) {
            param w: [N]
            optimizer = sgd()
            return x
        }
        ",
        r"
        error[misplaced-statement]: `const` stands at the top of the file, not inside `net`
         --> m.net:2:5
          |
        2 |     const A = 1
          |     ^^^^^

        error[misplaced-statement]: `target` stands inside `train`, not inside `net`
         --> m.net:3:5
          |
        3 |     target t: [N]
          |     ^^^^^^

        error[misplaced-statement]: `metric` stands inside `train`, not inside `net`
         --> m.net:4:5
          |
        4 |     metric accuracy(y, t)
          |     ^^^^^^

        error[misplaced-statement]: `return` stands inside `block`, not inside `net`
         --> m.net:5:5
          |
        5 |     return x
          |     ^^^^^^
          |
          = help: a network shows its values: `output y`

        error[misplaced-statement]: `input` stands inside `net`, not inside `train`
         --> m.net:8:5
          |
        8 |     input x: [N]
          |     ^^^^^

        error[misplaced-statement]: `freeze` stands inside `net`, not inside `train`
         --> m.net:9:5
          |
        9 |     freeze h
          |     ^^^^^^

        error[misplaced-statement]: `param` stands inside `net`, not inside `block`
          --> m.net:12:5
           |
        12 |     param w: [N]
           |     ^^^^^

        error[misplaced-statement]: `optimizer` stands inside `train`, not inside `block`
          --> m.net:13:5
           |
        13 |     optimizer = sgd()
           |     ^^^^^^^^^
        ",
    );
}

#[test]
fn a_block_that_returns_nothing() {
    check_errors(
        r"
        block b(x) { y = x }
        ",
        r"
        error[missing-return]: the block `b` returns nothing
         --> m.net:1:7
          |
        1 | block b(x) { y = x }
          |       ^
          |
          = help: the last statement of a block is `return ...`
        ",
    );
}

#[test]
fn statements_after_a_return() {
    check_errors(
        r"
        block b(x) {
            return x
            y = x
            return y
        }
        ",
        r"
        error[misplaced-statement]: nothing can follow the `return` of a block
         --> m.net:3:5
          |
        2 |     return x
          |     ------ the value is returned here
        3 |     y = x
          |     ^

        error[misplaced-statement]: nothing can follow the `return` of a block
         --> m.net:4:5
          |
        2 |     return x
          |     ------ the value is returned here
        3 |     y = x
        4 |     return y
          |     ^^^^^^
        ",
    );
}

#[test]
fn inputs() {
    check_errors(
        r"
        net n {
            input
            input x
            input [N]
        }
        ",
        r"
        error[unexpected-token]: expected the name of the input, found the keyword `input`
         --> m.net:2:10
          |
        2 |     input
          |          ^

        error[unexpected-token]: expected `:` and a type after `x`, found the keyword `input`
         --> m.net:3:12
          |
        3 |     input x
          |            ^

        error[unexpected-token]: expected the name of the input, found `[`
         --> m.net:4:11
          |
        4 |     input [N]
          |           ^
        ",
    );
}

#[test]
fn params() {
    check_errors(
        r"
        net n {
            param w = glorot()
            param v: [N] = 0
            param u: [N] = zeros
        }
        ",
        r"
        error[unexpected-token]: expected `:` and a type after `w`, found `=`
         --> m.net:2:13
          |
        2 |     param w = glorot()
          |             ^

        error[unexpected-token]: expected an initializer such as `normal(std: 0.1)`, found `0`
         --> m.net:3:20
          |
        3 |     param v: [N] = 0
          |                    ^

        error[unexpected-token]: expected `(` after `zeros`, found `}`
         --> m.net:4:25
          |
        4 |     param u: [N] = zeros
          |                         ^
          |
          = help: write `zeros(...)`
        ",
    );
}

#[test]
fn layers() {
    check_errors(
        r"
        net n {
            layer f = relu
            layer g() = x
        }
        ",
        r"
        error[unexpected-token]: expected `(` and the arguments of `f`, found `=`
         --> m.net:2:13
          |
        2 |     layer f = relu
          |             ^

        error[unexpected-token]: expected the name of an argument, found `)`
         --> m.net:3:13
          |
        3 |     layer g() = x
          |             ^
        ",
    );
}

#[test]
fn freeze() {
    check_errors(
        r"
        net n {
            freeze
            freeze a,
        }
        ",
        r"
        error[unexpected-token]: expected the name of what to freeze, found the keyword `freeze`
         --> m.net:2:11
          |
        2 |     freeze
          |           ^

        error[unexpected-token]: expected the name of what to freeze, found `}`
         --> m.net:3:14
          |
        3 |     freeze a,
          |              ^
        ",
    );
}

#[test]
fn limits() {
    check_errors(
        r"
        net n {
            limit 64 KiB
            limit = 64 KiB
            limit time = 3
            limit memory 64 KiB
            limit memory = lots
            limit memory = 1.5 MiB
            limit memory = 64
            limit memory = 64 kib
            limit memory = 64 parsecs
            h = 1
        }
        ",
        r"
        error[unexpected-token]: expected `memory`, found `64`
         --> m.net:2:11
          |
        2 |     limit 64 KiB
          |           ^^
          |
          = help: a limit reads `limit memory = 64 KiB`

        error[unexpected-token]: expected `memory`, found `=`
         --> m.net:3:11
          |
        3 |     limit = 64 KiB
          |           ^
          |
          = help: a limit reads `limit memory = 64 KiB`

        error[unexpected-token]: expected `memory`, found `time`
         --> m.net:4:11
          |
        4 |     limit time = 3
          |           ^^^^
          |
          = help: a limit reads `limit memory = 64 KiB`

        error[unexpected-token]: expected `=` after `limit memory`, found `64`
         --> m.net:5:18
          |
        5 |     limit memory 64 KiB
          |                  ^^

        error[unexpected-token]: expected a whole number, found `lots`
         --> m.net:6:20
          |
        6 |     limit memory = lots
          |                    ^^^^
          |
          = help: a limit reads `limit memory = 64 KiB`

        error[unexpected-token]: expected a whole number, found `1.5`
         --> m.net:7:20
          |
        7 |     limit memory = 1.5 MiB
          |                    ^^^
          |
          = help: a limit reads `limit memory = 64 KiB`

        error[unexpected-token]: expected a unit, found the keyword `limit`
         --> m.net:8:22
          |
        8 |     limit memory = 64
          |                      ^
          |
          = help: a unit is one of B, KB, MB, GB, KiB, MiB, GiB

        error[unknown-unit]: unknown unit `kib`
         --> m.net:9:23
          |
        9 |     limit memory = 64 kib
          |                       ^^^
          |
          = help: did you mean `KiB`?

        error[unknown-unit]: unknown unit `parsecs`
          --> m.net:10:23
           |
        10 |     limit memory = 64 parsecs
           |                       ^^^^^^^
           |
           = help: a unit is one of B, KB, MB, GB, KiB, MiB, GiB
        ",
    );
}

#[test]
fn metrics() {
    check_errors(
        r"
        train {
            metric accuracy
            metric 3
        }
        ",
        r"
        error[unexpected-token]: expected `(` after `accuracy`, found the keyword `metric`
         --> m.net:2:20
          |
        2 |     metric accuracy
          |                    ^
          |
          = help: write `accuracy(...)`

        error[unexpected-token]: expected a metric such as `accuracy(y, t)`, found `3`
         --> m.net:3:12
          |
        3 |     metric 3
          |            ^
        ",
    );
}

#[test]
fn optimizers() {
    check_errors(
        r"
        train {
            optimizer
            optimizer() = sgd()
            optimizer(a = sgd()
            optimizer: adam
        }
        ",
        r"
        error[unexpected-token]: expected `=` after `optimizer`, found the keyword `optimizer`
         --> m.net:2:14
          |
        2 |     optimizer
          |              ^

        error[unexpected-token]: expected the name of a parameter, found `)`
         --> m.net:3:15
          |
        3 |     optimizer() = sgd()
          |               ^

        error[unclosed-bracket]: expected `,` or `)`, found `=`
         --> m.net:4:17
          |
        4 |     optimizer(a = sgd()
          |              -  ^
          |              |
          |              this `(` is open

        error[unexpected-token]: expected `=` after `optimizer`, found `:`
         --> m.net:5:14
          |
        5 |     optimizer: adam
          |              ^
        ",
    );
}

#[test]
fn statements_without_a_head() {
    check_errors(
        r#"
        net n {
            3
            "a"
            , x
            (h)
            { k }
        }
        "#,
        r"
        error[unexpected-token]: expected a statement, found `3`
         --> m.net:2:5
          |
        2 |     3
          |     ^
          |
          = help: a statement begins with its keyword, or reads `name = value`
        ",
    );
}
