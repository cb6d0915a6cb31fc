//! Steps nested at random, against a slow and obvious way of doing them.

use proptest::prelude::*;

use crate::support::*;

/// A step, as a tree.
#[derive(Debug, Clone)]
enum Tree {
    Get(u8),
    /// Answered with 500; whether that ends the iteration.
    Bad(u8, bool),
    Add(u8),
    If(u8, Vec<Tree>, Vec<Tree>),
    Repeat(u8, Vec<Tree>),
    For(u8, Vec<Tree>),
    While(u8, u8, Vec<Tree>),
    Until(u8, u8, Vec<Tree>),
    Group(Vec<Tree>),
    Parallel(Vec<u8>),
    Call,
    When(u8, Box<Tree>),
    Choose(Vec<Tree>),
    Stop,
    Fail,
}

fn trees() -> impl Strategy<Value = Vec<Tree>> {
    let leaf = prop_oneof![
        6 => (0u8..9).prop_map(Tree::Get),
        1 => (0u8..9, any::<bool>()).prop_map(|(n, ends)| Tree::Bad(n, ends)),
        4 => (1u8..3).prop_map(Tree::Add),
        1 => Just(Tree::Call),
        1 => prop::collection::vec(0u8..9, 1..9).prop_map(Tree::Parallel),
        1 => Just(Tree::Stop),
        1 => Just(Tree::Fail),
    ];
    let tree = leaf.prop_recursive(4, 40, 4, |inner| {
        let body = || prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            (0u8..9, body(), body()).prop_map(|(n, then, other)| Tree::If(n, then, other)),
            (0u8..4, body()).prop_map(|(n, body)| Tree::Repeat(n, body)),
            (0u8..4, body()).prop_map(|(n, body)| Tree::For(n, body)),
            (0u8..9, 1u8..4, body()).prop_map(|(n, most, body)| Tree::While(n, most, body)),
            (0u8..9, 1u8..4, body()).prop_map(|(n, most, body)| Tree::Until(n, most, body)),
            body().prop_map(Tree::Group),
            (0u8..9, inner.clone()).prop_map(|(n, one)| Tree::When(n, Box::new(one))),
            body().prop_map(Tree::Choose),
        ]
    });
    prop::collection::vec(tree, 1..6)
}

/// The steps as a plan has them, on one line each.
fn written(trees: &[Tree]) -> String {
    let all: Vec<String> = trees.iter().map(|tree| format!("{{ {} }}", keys_of(tree))).collect();
    format!("[{}]", all.join(", "))
}

fn keys_of(tree: &Tree) -> String {
    match tree {
        Tree::Get(n) => format!("get: '/{n}/{{{{ x }}}}', name: g"),
        Tree::Bad(n, ends) => {
            let what = if *ends { "iteration" } else { "continue" };
            format!("get: '/bad/{n}', name: b, on_fail: {what}")
        }
        Tree::Add(n) => format!("set: {{ x: '{{{{ x + {n} }}}}' }}"),
        Tree::If(n, then, other) => {
            format!("if: x < {n}, then: {}, else: {}", written(then), written(other))
        }
        Tree::Repeat(n, body) => format!("repeat: {n}, do: {}", written(body)),
        Tree::For(n, body) => {
            let items: Vec<String> = (0..*n).map(|item| item.to_string()).collect();
            format!("for: i, in: [{}], do: {}", items.join(", "), written(body))
        }
        Tree::While(n, most, body) => {
            format!("while: x < {n}, at_most: {most}, do: {}", written(body))
        }
        Tree::Until(n, most, body) => {
            format!("until: x >= {n}, at_most: {most}, do: {}", written(body))
        }
        Tree::Group(body) => format!("group: g, do: {}", written(body)),
        Tree::Parallel(all) => {
            let all: Vec<String> =
                all.iter().map(|n| format!("{{ get: '/p{n}/{{{{ x }}}}', name: p }}")).collect();
            format!("parallel: [{}]", all.join(", "))
        }
        Tree::Call => "call: flow".to_owned(),
        Tree::When(n, one) => format!("if: x >= {n}, then: {}", written(std::slice::from_ref(one))),
        Tree::Choose(body) => format!("choose: [ {{ do: {} }} ]", written(body)),
        Tree::Stop => "when: x > 6, stop: iteration".to_owned(),
        Tree::Fail => "when: x > 5, fail: no".to_owned(),
    }
}

/// What should be done: the paths, and the groups that went well and that failed.
#[derive(Debug, Default, PartialEq)]
struct Done {
    paths: Vec<String>,
    groups: (u64, u64),
    x: u64,
    exceptions: u64,
    /// Groups that are open, and whether each has failed.
    open: Vec<bool>,
}

/// Why the iteration ends.
enum Ends {
    Well,
    Failed,
}

impl Done {
    fn failed(&mut self) {
        self.open.iter_mut().for_each(|failed| *failed = true);
    }

    fn all(&mut self, trees: &[Tree]) -> Result<(), Ends> {
        trees.iter().try_for_each(|tree| self.one(tree))
    }

    fn one(&mut self, tree: &Tree) -> Result<(), Ends> {
        match tree {
            Tree::Get(n) => self.paths.push(format!("/{n}/{}", self.x)),
            Tree::Bad(n, ends) => {
                self.paths.push(format!("/bad/{n}"));
                self.failed();
                if *ends {
                    return Err(Ends::Failed);
                }
            }
            Tree::Add(n) => self.x += u64::from(*n),
            Tree::If(n, then, other) => {
                self.all(if self.x < u64::from(*n) { then } else { other })?;
            }
            Tree::Repeat(n, body) | Tree::For(n, body) => {
                (0..*n).try_for_each(|_| self.all(body))?;
            }
            Tree::While(n, most, body) => {
                for _ in 0..*most {
                    if self.x >= u64::from(*n) {
                        break;
                    }
                    self.all(body)?;
                }
            }
            Tree::Until(n, most, body) => {
                let mut came = false;
                for _ in 0..*most {
                    self.all(body)?;
                    came = self.x >= u64::from(*n);
                    if came {
                        break;
                    }
                }
                if !came {
                    return self.exception();
                }
            }
            Tree::Group(body) => {
                self.open.push(false);
                let ended = self.all(body);
                let failed = self.open.pop().unwrap() || matches!(ended, Err(Ends::Failed));
                if failed {
                    self.groups.1 += 1;
                    self.failed();
                } else {
                    self.groups.0 += 1;
                }
                ended?;
            }
            Tree::Parallel(all) => {
                self.paths.extend(all.iter().map(|n| format!("/p{n}/{}", self.x)));
            }
            Tree::Call => {
                self.paths.push(format!("/flow/{}", self.x));
                self.x += 1;
            }
            Tree::When(n, one) => {
                if self.x >= u64::from(*n) {
                    self.one(one)?;
                }
            }
            Tree::Choose(body) => self.all(body)?,
            Tree::Stop if self.x > 6 => return Err(Ends::Well),
            Tree::Fail if self.x > 5 => return self.exception(),
            Tree::Stop | Tree::Fail => {}
        }
        Ok(())
    }

    fn exception(&mut self) -> Result<(), Ends> {
        self.exceptions += 1;
        self.failed();
        Err(Ends::Failed)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_nesting_does_what_it_says(trees in trees()) {
        let mut want = Done::default();
        for _ in 0..2 {
            let _ = want.all(&trees);
            want.open.clear();
        }
        let plan = steps(&format!("- get: /begin\n- repeat: 1\n  do: {}\n- get: /end", written(&trees)));
        let plan = Run { plan: plan.plan.replace("    tasks:\n", "    on_start: { set: { x: 0 } }\n    tasks:\n"), ..plan };
        let came = plan
            .times(2)
            .with("flows: { flow: { steps: [ { get: '/flow/{{ x }}', name: f }, { set: { x: '{{ x + 1 }}' } } ] } }")
            .against(|bytes: &[u8], _| status(if bytes.starts_with(b"GET /bad") { 500 } else { 200 }, ""));
        let paths: Vec<String> = came.paths().into_iter().filter(|path| path != "/begin" && path != "/end").collect();
        prop_assert_eq!(paths, want.paths);
        let groups = came.groups().first().map_or((0, 0), |group| (group.1, group.2));
        prop_assert_eq!(groups, want.groups);
        prop_assert_eq!(came.exceptions().iter().map(|(_, count)| count).sum::<u64>(), want.exceptions);
        came.counts();
    }
}
