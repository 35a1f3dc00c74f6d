// The data that the page carries: zlib data in base64, inside elements that no browser runs.

import type { Exchange, Index } from "./model";

async function inflated<T>(text: string): Promise<T> {
  const bytes = Uint8Array.from(atob(text.trim()), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).json()) as T;
}

function held(id: string): string {
  const element = document.getElementById(id);
  if (!element) throw new Error(`this page is incomplete: ${id} is missing`);
  return element.textContent ?? "";
}

export const readIndex = (): Promise<Index> => inflated<Index>(held("index"));

/** Parts that were opened. Each is opened once, however many ask for it. */
const opened = new Map<number, Promise<Exchange[]>>();

/** Exchanges that can be had without waiting: a page that is printed can't wait. */
const known = new Map<string, Exchange>();

const key = (trace: string, id: string): string => `${trace}\n${id}`;

export function readPart(part: number): Promise<Exchange[]> {
  let found = opened.get(part);
  if (!found) {
    found = inflated<Exchange[]>(held(`part-${part}`)).then((exchanges) => {
      for (const exchange of exchanges) known.set(key(exchange.trace, exchange.id), exchange);
      return exchanges;
    });
    opened.set(part, found);
  }
  return found;
}

export const knownExchange = (trace: string, id: string): Exchange | undefined => known.get(key(trace, id));

/** One exchange; undefined if the page had no room for it. */
export async function readExchange(index: Index, trace: string, id: string): Promise<Exchange | undefined> {
  const step = index.traces[trace]?.steps.find((one) => one[0] === id);
  if (!step || step[5] < 0) return undefined;
  await readPart(step[5]);
  return knownExchange(trace, id);
}
