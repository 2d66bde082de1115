/** What depends on what. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Finds the groups of nodes that depend on each other in a circle (strongly connected components, Tarjan's
 * algorithm), each as the shortest way around from its first node.
 */
export function circlesOf(graph: Graph): string[][] {
  return groupsOf(graph).filter((group) => group.size > 1).map((group) => wayAround(graph, group));
}

function groupsOf(graph: Graph): Set<string>[] {
  const groups: Set<string>[] = [];
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string) => {
    index.set(node, index.size);
    lowest.set(node, index.get(node)!);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) === index.get(node)) groups.push(new Set(stack.splice(stack.indexOf(node))));
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return groups;
}

/** The shortest path from the first node of a group back to it, found breadth first. */
function wayAround(graph: Graph, group: ReadonlySet<string>): string[] {
  const first = [...group].sort()[0]!;
  const paths: string[][] = [[first]];
  const seen = new Set<string>();
  for (const path of paths) {
    for (const next of graph.get(path.at(-1)!) ?? []) {
      if (next === first) return [...path, first];
      if (!group.has(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  throw new Error(`Cannot find a way around ${[...group].join(", ")}`);
}
