//! Every construct of the grammar, and the tree it is read into.

use super::check_tree;

#[test]
fn an_empty_file() {
    check_tree("", "");
}

#[test]
fn a_file_of_comments() {
    check_tree(
        r"
        // nothing
        // at all
        ",
        "",
    );
}

#[test]
fn the_seed_network() {
    check_tree(
        r"
        // seed.net: 3 inputs, 3 hidden neurons, 2 outputs
        net seed {
            input x: [N, 3]
            h = x |> dense(3) |> sigmoid
            output y = h |> dense(2) |> sigmoid
        }
        train {
            target t: [N, 2]
            loss = mse(y, t)
            optimizer = sgd(lr: 0.5)
            batch = full          // BGD; 1 is online SGD, 64 a mini-batch
            epochs = 1000
        }
        ",
        r"
        net seed `net seed { ... }`
          input `x`
            type `[N, 3]`
              name `N`
              size 3 `3`
          bind `h`
            pipe `x |> dense(3) |> sigmoid`
              pipe `x |> dense(3)`
                name x `x`
                into dense `dense(3)`
                  number 3.0 `3`
              into sigmoid `sigmoid`
          output `y`
            pipe `h |> dense(2) |> sigmoid`
              pipe `h |> dense(2)`
                name h `h`
                into dense `dense(2)`
                  number 2.0 `2`
              into sigmoid `sigmoid`
        train `train { ... }`
          target `t`
            type `[N, 2]`
              name `N`
              size 2 `2`
          set `loss`
            call mse `mse(y, t)`
              name y `y`
              name t `t`
          optimizer `optimizer = sgd(lr: 0.5)`
            call sgd `sgd(lr: 0.5)`
              arg `lr`
                number 0.5 `0.5`
          set `batch`
            name full `full`
          set `epochs`
            number 1000.0 `1000`
        ",
    );
}

#[test]
fn inputs() {
    check_tree(
        r#"
        net n {
            input a: []
            input b: f32[N, 3]
            input c: i32[N, H*2+1*K, 1_000] in 0..10
            input d: [N,] in ["cat", "a \"dog\""]
        }
        "#,
        r#"
        net n `net n { ... }`
          input `a`
            type `[]`
          input `b`
            type `f32[N, 3]`
              dtype `f32`
              name `N`
              size 3 `3`
          input `c`
            type `i32[N, H*2+1*K, 1_000]`
              dtype `i32`
              name `N`
              add `H*2+1*K`
                mul `H*2`
                  name `H`
                  size 2 `2`
                mul `1*K`
                  size 1 `1`
                  name `K`
              size 1000 `1_000`
            from 0 to 10 `0..10`
          input `d`
            type `[N,]`
              name `N`
            names `["cat", "a \"dog\""]`
              "cat" `"cat"`
              "a \"dog\"" `"a \"dog\""`
        "#,
    );
}

#[test]
fn columns_of_a_table() {
    check_tree(
        r#"
        net n {
            input a: [N, 4] missing from ["bill (mm)", 2..4, 7]
            input b: i32[N] in ["x"] unknown from 3
            input c: [N] missing: ["-9", "n.b."]
            from = a
            missing = from
        }
        "#,
        r#"
        net n `net n { ... }`
          input `a`
            type `[N, 4]`
              name `N`
              size 4 `4`
            columns `from ["bill (mm)", 2..4, 7]`
              "bill (mm)" `"bill (mm)"`
              2 to 4 `2..4`
              7 to 8 `7`
            missing [] `missing`
          input `b`
            type `i32[N]`
              dtype `i32`
              name `N`
            names `["x"]`
              "x" `"x"`
            columns `from 3`
              3 to 4 `3`
            unknown `unknown`
          input `c`
            type `[N]`
              name `N`
            missing ["-9", "n.b."] `missing: ["-9", "n.b."]`
          bind `from`
            name a `a`
          bind `missing`
            name from `from`
        "#,
    );
}

#[test]
fn outputs() {
    check_tree(
        r"
        net n {
            output a
            output b = a
            output c
            d = c
            output e
        }
        ",
        r"
        net n `net n { ... }`
          output `a`
          output `b`
            name a `a`
          output `c`
          bind `d`
            name c `c`
          output `e`
        ",
    );
}

#[test]
fn params() {
    check_tree(
        r"
        net n {
            param w: [4, 3]
            param v: f32[4] = normal(std: 0.1)
        }
        ",
        r"
        net n `net n { ... }`
          param `w`
            type `[4, 3]`
              size 4 `4`
              size 3 `3`
          param `v`
            type `f32[4]`
              dtype `f32`
              size 4 `4`
            init normal `normal(std: 0.1)`
              arg `std`
                number 0.1 `0.1`
        ",
    );
}

#[test]
fn layers() {
    check_tree(
        r"
        net n {
            layer encode(a, b) = a + b
            y = encode(x, z) - encode(z, x)
        }
        ",
        r"
        net n `net n { ... }`
          layer `encode`
            arg `a`
            arg `b`
            add `a + b`
              name a `a`
              name b `b`
          bind `y`
            sub `encode(x, z) - encode(z, x)`
              call encode `encode(x, z)`
                name x `x`
                name z `z`
              call encode `encode(z, x)`
                name z `z`
                name x `x`
        ",
    );
}

#[test]
fn freeze() {
    check_tree(
        r"
        net n {
            freeze a
            freeze b, c
            d = e
        }
        ",
        r"
        net n `net n { ... }`
          freeze `a`
          freeze `b`
          freeze `c`
          bind `d`
            name e `e`
        ",
    );
}

#[test]
fn limits() {
    check_tree(
        r"
        net n {
            limit memory = 3 B
            limit memory = 3 KB limit memory = 3 MB
            limit memory = 3 GB
            limit memory = 64 KiB
            limit memory = 64KiB
            limit memory = 1 MiB
            limit memory = 1_0 GiB
            memory = limited
        }
        ",
        r"
        net n `net n { ... }`
          limit 3 `limit memory = 3 B`
          limit 3000 `limit memory = 3 KB`
          limit 3000000 `limit memory = 3 MB`
          limit 3000000000 `limit memory = 3 GB`
          limit 65536 `limit memory = 64 KiB`
          limit 65536 `limit memory = 64KiB`
          limit 1048576 `limit memory = 1 MiB`
          limit 10737418240 `limit memory = 1_0 GiB`
          bind `memory`
            name limited `limited`
        ",
    );
}

#[test]
fn constants() {
    check_tree(
        r"
        const H = 16
        const K = H * 2
        ",
        r"
        const `H`
          number 16.0 `16`
        const `K`
          mul `H * 2`
            name H `H`
            number 2.0 `2`
        ",
    );
}

#[test]
fn blocks() {
    check_tree(
        r"
        block residual(x, k) {
            y = x |> dense(k)
            return x + y
        }
        block id(x) { return x }
        ",
        r"
        block residual `block residual(x, k) { ... }`
          arg `x`
          arg `k`
          bind `y`
            pipe `x |> dense(k)`
              name x `x`
              into dense `dense(k)`
                name k `k`
          add `x + y`
            name x `x`
            name y `y`
        block id `block id(x) { return x }`
          arg `x`
          name x `x`
        ",
    );
}

#[test]
fn train_entries() {
    check_tree(
        r"
        train {
            target t: i32[N] in 0..3
            metric accuracy(y, t)
            optimizer(h, w) = sgd(lr: 0.1)
            optimizer = adam()
            batch = 16  epochs = 60 seed = 1
        }
        ",
        r"
        train `train { ... }`
          target `t`
            type `i32[N]`
              dtype `i32`
              name `N`
            from 0 to 3 `0..3`
          metric accuracy `accuracy(y, t)`
            name y `y`
            name t `t`
          optimizer `optimizer(h, w) = sgd(lr: 0.1)`
            for `h`
            for `w`
            call sgd `sgd(lr: 0.1)`
              arg `lr`
                number 0.1 `0.1`
          optimizer `optimizer = adam()`
            call adam `adam()`
          set `batch`
            number 16.0 `16`
          set `epochs`
            number 60.0 `60`
          set `seed`
            number 1.0 `1`
        ",
    );
}

#[test]
fn sums_and_products_group_to_the_left() {
    check_tree(
        r"
        const A = a - b - c * d / e @ f
        ",
        r"
        const `A`
          sub `a - b - c * d / e @ f`
            sub `a - b`
              name a `a`
              name b `b`
            matmul `c * d / e @ f`
              div `c * d / e`
                mul `c * d`
                  name c `c`
                  name d `d`
                name e `e`
              name f `f`
        ",
    );
}

#[test]
fn brackets_group() {
    check_tree(
        r"
        const A = (a - (b - c)) * (d)
        ",
        r"
        const `A`
          mul `(a - (b - c)) * (d)`
            sub `(a - (b - c))`
              name a `a`
              sub `(b - c)`
                name b `b`
                name c `c`
            name d `(d)`
        ",
    );
}

#[test]
fn a_minus_binds_tighter_than_a_product() {
    check_tree(
        r"
        const A = -a.b * -c - -1
        ",
        r"
        const `A`
          sub `-a.b * -c - -1`
            mul `-a.b * -c`
              neg `-a.b`
                field b `a.b`
                  name a `a`
              neg `-c`
                name c `c`
            neg `-1`
              number 1.0 `1`
        ",
    );
}

#[test]
fn pipes_bind_loosest() {
    check_tree(
        r"
        const A = a + b |> f |> g(1, k: c |> h)
        ",
        r"
        const `A`
          pipe `a + b |> f |> g(1, k: c |> h)`
            pipe `a + b |> f`
              add `a + b`
                name a `a`
                name b `b`
              into f `f`
            into g `g(1, k: c |> h)`
              number 1.0 `1`
              arg `k`
                pipe `c |> h`
                  name c `c`
                  into h `h`
        ",
    );
}

#[test]
fn numbers() {
    check_tree(
        r"
        const A = f(0, 7, 1_000, 0.5, 1e-3, 2.5E+10, 1e3, 9007199254740992, 1_0.2_5)
        ",
        r"
        const `A`
          call f `f(0, 7, 1_000, 0.5, 1e-3, 2.5E+10, 1e3, 9007199254740992, 1_0.2_5)`
            number 0.0 `0`
            number 7.0 `7`
            number 1000.0 `1_000`
            number 0.5 `0.5`
            number 0.001 `1e-3`
            number 25000000000.0 `2.5E+10`
            number 1000.0 `1e3`
            number 9007199254740992.0 `9007199254740992`
            number 10.25 `1_0.2_5`
        ",
    );
}

#[test]
fn strings() {
    check_tree(
        r#"
        const A = f("", "it's", "a\\b \"c\"", "größe")
        "#,
        r#"
        const `A`
          call f `f("", "it's", "a\\b \"c\"", "größe")`
            string "" `""`
            string "it's" `"it's"`
            string "a\\b \"c\"" `"a\\b \"c\""`
            string "größe" `"größe"`
        "#,
    );
}

#[test]
fn white_space_means_nothing() {
    check_tree(
        r"
        net n{input x:[N,3]h=x|>dense
        (3
        )|>relu output
        y
        =h}train{loss=
        l batch=1}
        ",
        r"
        net n `net n{input x:[N,3]h=x|>dense ... =h}`
          input `x`
            type `[N,3]`
              name `N`
              size 3 `3`
          bind `h`
            pipe `x|>dense ... )|>relu`
              pipe `x|>dense ... )`
                name x `x`
                into dense `dense ... )`
                  number 3.0 `3`
              into relu `relu`
          output `y`
            name h `h`
        train `train{loss= ... l batch=1}`
          set `loss`
            name l `l`
          set `batch`
            number 1.0 `1`
        ",
    );
}

#[test]
fn a_byte_order_mark_and_dos_line_ends() {
    check_tree(
        "\u{feff}const A = 1\r\n// c\r\nconst B = 2\r\n",
        r"
        const `A`
          number 1.0 `1`
        const `B`
          number 2.0 `2`
        ",
    );
}

#[test]
fn keywords_are_whole_words() {
    check_tree(
        r"
        const inputs = returned + in_ + net1
        ",
        r"
        const `inputs`
          add `returned + in_ + net1`
            add `returned + in_`
              name returned `returned`
              name in_ `in_`
            name net1 `net1`
        ",
    );
}
