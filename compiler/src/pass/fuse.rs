//! Groups the nodes of a graph into kernels.
//!
//! A [`Cluster`] is what one step of the program will do: an anchor, such as a matrix product, and
//! the elementwise nodes that run on each of its finished tiles; or elementwise nodes alone. The
//! graph itself stays as it is, so a cluster may have several results without nodes of several
//! values.
//!
//! Elementwise nodes are placed as whole expressions: a node with one user goes where its user
//! goes, so that what only the backward pass needs is not computed, and kept, by the forward pass.
//! An expression joins the last of the clusters it reads from. Every cluster has a position in the
//! order of the nodes; an expression joins only if whatever else it needs comes from clusters
//! before that position, so clusters in the order of their positions are in topological order and
//! can never wait for each other in a circle.
//!
//! A cluster's elementwise nodes become one expression of the machine, so they keep to its limits:
//! what would not fit starts a cluster of its own.

use super::lists::Lists;
use crate::graph::op::{Binary, BinaryFn, Broadcast, Computed, Op, Pattern};
use crate::graph::{Graph, Node, NodeId};
use arenet_program::{MAX_CONSTS, MAX_INSTRS, MAX_LOADS, MAX_STORES};

/// The most values that a cluster may store: its elementwise nodes, and the result that they go on
/// from. More would not stay in the first-level cache.
const MAX_NODES: usize = MAX_STORES;

// A node is at most one instruction, on two constants.
const _: () = assert!(MAX_NODES <= MAX_INSTRS && 2 * MAX_NODES <= MAX_CONSTS);

/// A cluster: an index into [`Fusion::clusters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterId(pub u32);

/// What one step will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// The node that is more than elementwise, if there is one.
    pub anchor: Option<NodeId>,
    /// The node that the anchor's kernel computes as well.
    pub joined: Option<NodeId>,
    /// The elementwise nodes before a sum, in order.
    pub body: Vec<NodeId>,
    /// The row that is added to a matrix product, and the addition.
    pub bias: Option<(NodeId, NodeId)>,
    /// The elementwise nodes on the anchor's result, or all nodes of a cluster without anchor.
    pub nodes: Vec<NodeId>,
    /// The sum of the columns of a product's second operand, where it is computed with the product,
    /// and the elementwise nodes on it.
    pub column_sums: Vec<NodeId>,
    /// Where it stands in the order of the nodes.
    position: usize,
}

/// The clusters of a graph.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fusion {
    /// In topological order.
    pub clusters: Vec<Cluster>,
    /// For each node the cluster that computes it: none for leaves and for what is only spread.
    pub cluster_of: Vec<Option<ClusterId>>,
}

impl Cluster {
    /// The node whose value the kernel itself computes: the anchor, or the anchor plus bias.
    pub fn result(&self) -> Option<NodeId> {
        self.bias.map(|(_, sum)| sum).or(self.anchor)
    }

    /// The parameters and states that it overwrites.
    pub fn assigned<'g>(&self, graph: &'g Graph) -> impl Iterator<Item = NodeId> + use<'_, 'g> {
        let nodes = self.members().map(|id| graph.node(id));
        nodes.filter(|node| node.op.is_assign()).map(|node| node.inputs[0])
    }

    /// All nodes it computes, in order.
    pub fn members(&self) -> impl Iterator<Item = NodeId> + '_ {
        let result = self.bias.map(|(_, sum)| sum);
        self.body
            .iter()
            .chain(&self.anchor)
            .chain(&self.joined)
            .copied()
            .chain(result)
            .chain(self.nodes.iter().chain(&self.column_sums).copied())
    }
}

/// Where parameters and optimizer states are overwritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Updates {
    /// In the cluster that computes the new value. Two of these may wait for each other in a
    /// circle, each reading what the other overwrites; [`schedule`](super::schedule::schedule) sees
    /// it.
    Fused,
    /// Each in a cluster of its own after all others, which no circle can go through.
    Last,
}

/// Groups the nodes into clusters.
pub fn fuse(graph: &Graph, updates: Updates) -> Fusion {
    let mut fuser = Fuser {
        graph,
        users: users(graph),
        is_root: vec![false; graph.nodes.len()],
        expression: (0..graph.nodes.len()).map(|_| Vec::new()).collect(),
        clusters: Vec::new(),
        loads: Vec::new(),
        cluster_of: vec![None; graph.nodes.len()],
        updates,
        last: Vec::new(),
    };
    for root in &graph.roots {
        fuser.is_root[root.index()] = true;
    }
    fuser.gather_expressions();
    for id in graph.ids() {
        fuser.visit(id);
    }
    for (i, id) in std::mem::take(&mut fuser.last).into_iter().enumerate() {
        fuser.start(None, vec![id], graph.nodes.len() + i);
    }
    fuser.join_column_sums();
    fuser.finish()
}

/// The node that `id` spreads, or `id` itself.
pub fn spread_source(graph: &Graph, fusion: &[Option<ClusterId>], id: NodeId) -> NodeId {
    let node = graph.node(id);
    if node.op.is_broadcast() && fusion[id.index()].is_none() { node.inputs[0] } else { id }
}

/// For each node, the nodes that read it.
fn users(graph: &Graph) -> Lists<NodeId> {
    let reads = || {
        let users = graph.ids().map(|id| (id, &graph.node(id).inputs));
        users.flat_map(|(id, inputs)| inputs.iter().map(move |input| (input.index(), id)))
    };
    Lists::new(graph.nodes.len(), reads)
}

struct Fuser<'a> {
    graph: &'a Graph,
    users: Lists<NodeId>,
    is_root: Vec<bool>,
    /// For the last node of each expression, all its nodes in order; for others nothing.
    expression: Vec<Vec<NodeId>>,
    clusters: Vec<Cluster>,
    /// For each cluster the operands of its elementwise nodes that they do not compute themselves.
    loads: Vec<Vec<NodeId>>,
    cluster_of: Vec<Option<ClusterId>>,
    updates: Updates,
    /// The assignments that come after everything else.
    last: Vec<NodeId>,
}

impl Fuser<'_> {
    /// Groups each elementwise node with its user, where it has just one of the same shape.
    fn gather_expressions(&mut self) {
        let graph = self.graph;
        let mut last: Vec<NodeId> = graph.ids().collect();
        // For the last node of each expression, how many operands come from outside.
        let mut operands = vec![0; graph.nodes.len()];
        for id in graph.ids().rev() {
            let node = graph.node(id);
            if !node.op.is_elementwise() {
                continue;
            }
            let own = node.reads().len();
            if let [user] = *self.users.of(id.index())
                && !self.is_root[id.index()]
                && graph.node(user).op.is_elementwise()
                && graph.shape(user) == node.shape
            {
                let end = last[user.index()];
                let outside = operands[end.index()] - 1;
                if self.expression[end.index()].len() < MAX_NODES && outside + own <= MAX_LOADS {
                    last[id.index()] = end;
                    operands[end.index()] = outside;
                }
            }
            let end = last[id.index()];
            operands[end.index()] += own;
            self.expression[end.index()].push(id);
        }
        for expression in &mut self.expression {
            expression.reverse();
        }
    }

    fn visit(&mut self, id: NodeId) {
        let graph = self.graph;
        match graph.node(id).op.computed() {
            Computed::Given => {}
            Computed::Spread => {
                let read = |&user| self.reads_in_place(user, id);
                if self.is_root[id.index()] || !self.users.of(id.index()).iter().all(read) {
                    self.start(None, vec![id], id.index());
                }
            }
            Computed::Instr(_) | Computed::Store => self.place_expression(id),
            Computed::Kernel(anchor) => {
                if anchor.joins().is_some_and(|first| self.join(id, first)) {
                    return;
                }
                // What has no operands, such as a mask, is there for all.
                let position = if graph.node(id).inputs.is_empty() { 0 } else { id.index() };
                let own = self.start(Some(id), Vec::new(), position);
                if anchor.takes_body() {
                    self.take_body(own, id);
                }
            }
            Computed::WrittenOut => unreachable!("{} has been written out", graph.node(id).op),
        }
    }

    /// Whether a user reads the operand of a broadcast in its place, by strides.
    fn reads_in_place(&self, user: NodeId, broadcast: NodeId) -> bool {
        let Node { op, inputs, .. } = self.graph.node(user);
        let source = self.graph.node(broadcast).inputs[0];
        let is_number = self.graph.shape(source).is_scalar()
            && self.graph.node(source).op.as_constant().is_none();
        let number = op.anchor().and_then(|anchor| anchor.number()).filter(|_| is_number);
        let admits = |index| inputs[index] != broadcast || number == Some(index);
        op.is_elementwise() || (0..inputs.len()).all(admits)
    }

    fn start(&mut self, anchor: Option<NodeId>, nodes: Vec<NodeId>, position: usize) -> ClusterId {
        let cluster = ClusterId(self.clusters.len() as u32);
        for node in anchor.iter().chain(&nodes) {
            self.cluster_of[node.index()] = Some(cluster);
        }
        self.loads.push(self.loads_with(Vec::new(), &nodes, cluster));
        let (joined, bias) = (None, None);
        let (body, column_sums) = Default::default();
        self.clusters.push(Cluster { anchor, joined, body, bias, nodes, column_sums, position });
        cluster
    }

    /// What a cluster with these loads reads once it computes more nodes, constants aside.
    fn loads_with(
        &self,
        mut loads: Vec<NodeId>,
        nodes: &[NodeId],
        cluster: ClusterId,
    ) -> Vec<NodeId> {
        for operand in self.operands(nodes) {
            let source = spread_source(self.graph, &self.cluster_of, operand);
            let constant = self.graph.node(source).op.as_constant().is_some();
            let own = self.cluster_of[operand.index()] == Some(cluster);
            if !constant && !own && !loads.contains(&operand) {
                loads.push(operand);
            }
        }
        loads
    }

    /// Puts the expression that ends with `id` into a cluster.
    fn place_expression(&mut self, id: NodeId) {
        let mut expression = std::mem::take(&mut self.expression[id.index()]);
        if self.updates == Updates::Last && self.graph.node(id).op.is_assign() {
            self.last.extend(expression.pop());
        }
        expression.retain(|&node| !self.add_bias(node));
        if expression.is_empty() {
            return;
        }
        if let Some((cluster, loads)) = self.joinable(&expression) {
            for &node in &expression {
                self.cluster_of[node.index()] = Some(cluster);
            }
            self.loads[cluster.0 as usize] = loads;
            self.clusters[cluster.0 as usize].nodes.extend(expression);
            return;
        }
        // What reads only leaves, such as a factor of the learning rate, is there for all.
        let is_first = !self.graph.node(id).op.is_assign()
            && self.operands(&expression).all(|operand| self.source_cluster(operand).is_none());
        self.start(None, expression, if is_first { 0 } else { id.index() });
    }

    /// An anchor, such as a sum, takes in the elementwise nodes before it that nothing else needs.
    fn take_body(&mut self, own: ClusterId, id: NodeId) {
        let input = self.graph.node(id).inputs[0];
        let Some(before) = self.cluster_of[input.index()] else { return };
        let cluster = &self.clusters[before.0 as usize];
        let private = cluster.nodes.iter().all(|node| {
            let here = |user: &NodeId| *user == id || self.cluster_of[user.index()] == Some(before);
            !self.is_root[node.index()] && self.users.of(node.index()).iter().all(here)
        });
        let spread = |node: &NodeId| self.graph.node(*node).op.is_broadcast();
        // The kernel learns the shape it sums over from an operand that fills it.
        let fills = |operand: &NodeId| {
            let constant = self.graph.node(*operand).op.as_constant().is_some();
            !constant && !spread(operand) && self.cluster_of[operand.index()] != Some(before)
        };
        let mut operands = cluster.nodes.iter().flat_map(|node| &self.graph.node(*node).inputs);
        let shaped = operands.any(fills);
        if cluster.anchor.is_some() || !private || !shaped || cluster.nodes.iter().any(spread) {
            return;
        }
        let body = std::mem::take(&mut self.clusters[before.0 as usize].nodes);
        for node in &body {
            self.cluster_of[node.index()] = Some(own);
        }
        self.clusters[own.0 as usize].body = body;
    }

    /// Where `id` adds a row to a matrix product that nothing else reads, the product starts from
    /// it.
    fn add_bias(&mut self, id: NodeId) -> bool {
        let [a, b] = self.graph.node(id).inputs[..] else { return false };
        [(a, b), (b, a)].into_iter().any(|(product, row)| {
            let Some(cluster) = self.cluster_of[product.index()] else { return false };
            let anchor = self.graph.node(product).op.anchor();
            let open = &self.clusters[cluster.0 as usize];
            let is_sum = self.graph.node(id).op == Binary(BinaryFn::Add).into();
            let fits = anchor.is_some_and(|anchor| anchor.takes_bias())
                && is_sum
                && open.nodes.is_empty()
                && open.bias.is_none()
                && self.users.of(product.index()).len() == 1
                && !self.is_root[product.index()]
                && self.pattern(row) == Some(Pattern::Row)
                && self.is_before(row, cluster);
            if fits {
                let source = spread_source(self.graph, &self.cluster_of, row);
                self.clusters[cluster.0 as usize].bias = Some((source, id));
                self.cluster_of[id.index()] = Some(cluster);
            }
            fits
        })
    }

    fn pattern(&self, id: NodeId) -> Option<Pattern> {
        let Node { op, inputs, shape, .. } = self.graph.node(id);
        let source = op.is_broadcast().then(|| self.graph.shape(inputs[0]))?;
        Broadcast::pattern(&source, shape)
    }

    /// Whether an operand is there before `cluster` runs.
    fn is_before(&self, operand: NodeId, cluster: ClusterId) -> bool {
        let source = self.source_cluster(operand);
        source.is_none_or(|source| self.position(source) < self.position(cluster))
    }

    /// The cluster that computes an operand, or what the operand spreads; none for leaves.
    fn source_cluster(&self, operand: NodeId) -> Option<ClusterId> {
        self.cluster_of[spread_source(self.graph, &self.cluster_of, operand).index()]
    }

    /// What an expression reads.
    fn operands(&self, expression: &[NodeId]) -> impl Iterator<Item = NodeId> {
        let inputs = expression.iter().flat_map(|&id| self.graph.node(id).reads());
        inputs.copied().filter(|operand| !expression.contains(operand))
    }

    fn position(&self, cluster: ClusterId) -> usize {
        self.clusters[cluster.0 as usize].position
    }

    /// The last cluster that the expression reads from, if all of it can run there, and what its
    /// nodes then load.
    fn joinable(&self, expression: &[NodeId]) -> Option<(ClusterId, Vec<NodeId>)> {
        let shape = self.graph.shape(expression[0]);
        let clusters = |operand: NodeId| self.cluster_of[operand.index()];
        let candidates = self.operands(expression).filter_map(clusters);
        let cluster = candidates.max_by_key(|&cluster| self.position(cluster))?;
        let open = &self.clusters[cluster.0 as usize];
        let first = open.result().or(open.nodes.first().copied())?;
        let anchor = open.anchor.and_then(|anchor| self.graph.node(anchor).op.anchor());
        let accepts = anchor.is_none_or(|anchor| anchor.takes_tail());
        let stores = usize::from(open.anchor.is_some()) + open.nodes.len() + expression.len();
        let fits = accepts
            && stores <= MAX_NODES
            && self.graph.shape(first) == shape
            && self.operands(expression).all(|operand| {
                self.cluster_of[operand.index()] == Some(cluster)
                    || self.is_before(operand, cluster)
            })
            && self.may_overwrite(expression, cluster);
        if !fits {
            return None;
        }
        let loads = self.loads_with(self.loads[cluster.0 as usize].clone(), expression, cluster);
        (loads.len() <= MAX_LOADS).then_some((cluster, loads))
    }

    /// Whether the leaf that the expression assigns to, if it does, may be overwritten by a
    /// cluster: not where the kernel reads it in an order of its own.
    fn may_overwrite(&self, expression: &[NodeId], cluster: ClusterId) -> bool {
        let assign = expression.last().map(|&id| self.graph.node(id));
        let Some(assign) = assign.filter(|node| node.op.is_assign()) else { return true };
        let open = &self.clusters[cluster.0 as usize];
        let mut gathers = (open.anchor.iter().chain(&open.body))
            .flat_map(|&node| &self.graph.node(node).inputs)
            .map(|&id| spread_source(self.graph, &self.cluster_of, id));
        gathers.all(|id| id != assign.inputs[0])
    }

    /// Lets the kernel of another operator on the same operands compute a node as well, as that of
    /// the cross-entropy does its gradient, if what else the node needs is there before.
    fn join(&mut self, id: NodeId, other: Op) -> bool {
        let inputs = &self.graph.node(id).inputs;
        let first = self.users.of(inputs[0].index()).iter().find(|user| {
            let node = self.graph.node(**user);
            node.op == other && inputs.starts_with(&node.inputs)
        });
        let Some(&first) = first else { return false };
        let Some(cluster) = self.cluster_of[first.index()] else { return false };
        let mut rest = inputs[self.graph.node(first).inputs.len()..].iter();
        let fits = rest.all(|&input| self.is_before(input, cluster));
        let open = &mut self.clusters[cluster.0 as usize];
        if !fits || open.joined.is_some() {
            return false;
        }
        open.joined = Some(id);
        self.cluster_of[id.index()] = Some(cluster);
        true
    }

    /// The columns of a matrix are summed by the product that reads the same rows as vectors, as
    /// the gradient of a weight and that of the bias do.
    fn join_column_sums(&mut self) {
        for sum in (0..self.clusters.len() as u32).map(ClusterId) {
            let Some(product) = self.summing_product(sum) else { continue };
            let Cluster { anchor, nodes, .. } = &mut self.clusters[sum.0 as usize];
            let sums: Vec<NodeId> = anchor.take().into_iter().chain(nodes.drain(..)).collect();
            for node in &sums {
                self.cluster_of[node.index()] = Some(product);
            }
            self.clusters[product.0 as usize].column_sums = sums;
        }
    }

    /// The product that can do what a cluster does, where that sums columns.
    fn summing_product(&self, sum: ClusterId) -> Option<ClusterId> {
        let anchor = self.clusters[sum.0 as usize].anchor.map(|id| self.graph.node(id))?;
        let &matrix = anchor.inputs.first()?;
        let reads = |user: &&NodeId| {
            let node = self.graph.node(**user);
            let sums = node.op.anchor().and_then(|product| product.column_sums());
            sums == Some(anchor.op) && node.inputs[1] == matrix
        };
        let products = self.users.of(matrix.index()).iter().filter(reads);
        let mut products = products.filter_map(|user| self.cluster_of[user.index()]);
        products.find(|&product| self.may_sum(product, sum))
    }

    /// Whether the cluster of a product can do what that of a column sum does: what that one needs
    /// is there before it, what needs that one comes after it, and neither overwrites what the
    /// other reads.
    fn may_sum(&self, product: ClusterId, sum: ClusterId) -> bool {
        let [open, sums] = [product, sum].map(|id| &self.clusters[id.0 as usize]);
        let reads = |cluster: &Cluster| -> Vec<NodeId> {
            let members: Vec<NodeId> = cluster.members().collect();
            let source = |id| spread_source(self.graph, &self.cluster_of, id);
            self.operands(&members).map(source).collect()
        };
        let apart = |a: &Cluster, b: &Cluster| {
            let reads = reads(b);
            a.assigned(self.graph).all(|leaf| !reads.contains(&leaf))
        };
        open.column_sums.is_empty()
            && reads(sums).iter().all(|&read| self.is_before(read, product))
            && sums.members().all(|node| self.is_read_after(node, sum, product))
            && apart(open, sums)
            && apart(sums, open)
    }

    /// Whether all that read a node of cluster `own` are its own or come after `cluster`.
    fn is_read_after(&self, node: NodeId, own: ClusterId, cluster: ClusterId) -> bool {
        self.users.of(node.index()).iter().all(|&user| match self.cluster_of[user.index()] {
            Some(reader) => reader == own || self.position(reader) > self.position(cluster),
            None => self.is_read_after(user, own, cluster),
        })
    }

    /// Drops the clusters that sums and products have emptied.
    fn finish(self) -> Fusion {
        let mut fusion = Fusion { clusters: Vec::new(), cluster_of: self.cluster_of };
        let mut renamed = Vec::with_capacity(self.clusters.len());
        for cluster in self.clusters {
            renamed.push(ClusterId(fusion.clusters.len() as u32));
            if cluster.anchor.is_some() || !cluster.nodes.is_empty() {
                fusion.clusters.push(cluster);
            }
        }
        for cluster in fusion.cluster_of.iter_mut().flatten() {
            *cluster = renamed[cluster.0 as usize];
        }
        fusion
    }
}
