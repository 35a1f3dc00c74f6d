// JSON as it was written, as a tree: numbers keep their digits, and members that are there twice stay twice.

export interface Node {
  kind: "object" | "array" | "string" | "number" | "literal";
  /** The text of a scalar. */
  raw: string;
  /** Members of an object with their names as they were written, items of an array with "". */
  parts: [string, Node][];
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The tree of a text; undefined if it isn't JSON or is nested too deeply to be looked at. */
export function tree(text: string): Node | undefined {
  try {
    JSON.parse(text);
    return new Reader(text).value();
  } catch {
    return undefined;
  }
}

/** Reads a text that is known to be JSON. */
class Reader {
  private at = 0;
  constructor(private readonly text: string) {}

  private space(): void {
    SPACE.lastIndex = this.at;
    this.at += SPACE.exec(this.text)?.[0].length ?? 0;
  }

  private scalar(): string {
    SCALAR.lastIndex = this.at;
    const found = SCALAR.exec(this.text);
    if (!found) throw new SyntaxError(`not JSON at ${this.at}`);
    this.at += found[0].length;
    return found[0];
  }

  value(): Node {
    this.space();
    const first = this.text[this.at];
    if (first === "{" || first === "[")
      return this.parts(first === "{" ? "object" : "array", first === "{" ? "}" : "]");
    const raw = this.scalar();
    const kind = raw.startsWith('"') ? "string" : /^[-\d]/.test(raw) ? "number" : "literal";
    return { kind, raw, parts: [] };
  }

  private parts(kind: "object" | "array", end: string): Node {
    const node: Node = { kind, raw: "", parts: [] };
    this.at += 1;
    for (;;) {
      this.space();
      if (this.text[this.at] === ",") {
        this.at += 1;
        this.space();
      }
      if (this.text[this.at] === end) break;
      let name = "";
      if (kind === "object") {
        name = this.scalar();
        this.space();
        this.at += 1; // the colon
      }
      node.parts.push([name, this.value()]);
    }
    this.at += 1;
    return node;
  }
}

/** A step of a JSON Pointer (RFC 6901) from a name as it was written, or from a place in an array. */
export const step = (name: string, place: number): string =>
  name === "" ? String(place) : (JSON.parse(name) as string).replaceAll("~", "~0").replaceAll("/", "~1");

/** The longest beginning of a pointer that is there, and whether it is all of it. */
export function nearest(root: Node, pointer: string): [string, boolean] {
  let node: Node | undefined = root;
  let found = "";
  for (const wanted of pointer.split("/").slice(1)) {
    const next: Node | undefined = node?.parts.findLast(([name], place) => step(name, place) === wanted)?.[1];
    if (!next) return [found, false];
    node = next;
    found += `/${wanted}`;
  }
  return [found, true];
}

export interface Line {
  depth: number;
  name: string;
  text: string;
  kind: string;
  pointer: string;
  tail: string;
}

/** An array of many scalars, such as an embedding, is one line. */
const MANY = 16;
const LONG = 400;

const shortened = (text: string): string =>
  text.length <= LONG ? text : `${text.slice(0, LONG)}… (${text.length.toLocaleString("en-US")} characters)`;

/** The lines of a tree, each with the pointer of what it shows. */
export function linesOf(root: Node): Line[] {
  const lines: Line[] = [];
  const walk = (node: Node, name: string, pointer: string, depth: number, tail: string): void => {
    const put = (text: string, kind: string, end: string, own = name): void => {
      lines.push({ depth, name: own, text, kind, pointer, tail: end });
    };
    const [open, close] = node.kind === "object" ? "{}" : "[]";
    if (node.kind !== "object" && node.kind !== "array") put(shortened(node.raw), node.kind, tail);
    else if (node.parts.length === 0) put(`${open}${close}`, "bracket", tail);
    else if (
      node.kind === "array" &&
      node.parts.length > MANY &&
      node.parts.every(([, one]) => one.parts.length === 0)
    ) {
      const some = node.parts.slice(0, 6).map(([, one]) => shortened(one.raw));
      put(`[${some.join(", ")}, … ${node.parts.length - some.length} more]`, "number", tail);
    } else {
      put(open ?? "", "bracket", "");
      const lasts = new Map(node.parts.map(([key], place) => [step(key, place), place]));
      node.parts.forEach(([key, one], place) => {
        const last = place === node.parts.length - 1;
        const name = step(key, place);
        // Of members with one name clients see the last; no pointer leads to the others.
        const own = lasts.get(name) === place ? `${pointer}/${name}` : "\0";
        walk(one, key, own, depth + 1, last ? "" : ",");
      });
      // The closing bracket is no place that a mark belongs to.
      lines.push({ depth, name: "", text: close ?? "", kind: "bracket", pointer: "\0", tail });
    }
  };
  walk(root, "", "", 0, "");
  return lines;
}
