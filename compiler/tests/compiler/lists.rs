//! Lists of lists.

use arenet_compiler::pass::lists::Lists;
use pretty_assertions::assert_eq;

#[test]
fn lists_keep_the_order_of_their_items() {
    let lists = Lists::new(4, || [(2, 'a'), (0, 'b'), (2, 'c')].into_iter());
    let found: Vec<String> = (0..4).map(|index| lists.of(index).iter().collect()).collect();
    assert_eq!(found, ["b", "", "ac", ""]);
    assert!(Lists::<u8>::new(1, std::iter::empty).of(0).is_empty());
}
