// Texts of the target, made safe to look at. What is copied stays as it was.

import type { Body } from "./model";

// The same characters as in conformance/evidence/timeline.py: controls, marks of direction, halves of surrogate pairs.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that must not be shown as they are
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escaped = (char: string): string => {
  const code = char.charCodeAt(0);
  if (char === "\r") return "\\r";
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
};

/** A text in which control characters and marks of direction are escapes. Line breaks and tabs stay. */
export const visible = (text: string): string => text.replace(UNSAFE, escaped);

/** The same on one line. */
export const inline = (text: string): string =>
  visible(text).replace(/[\n\t]/g, (char) => (char === "\n" ? "\\n" : "\\t"));

export const cut = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** The bytes of a body, as far as the page has them. */
export function bytesOf(body: Body): Uint8Array {
  if (body.base64 !== undefined) return Uint8Array.from(atob(body.base64), (char) => char.charCodeAt(0));
  return new TextEncoder().encode(body.text ?? "");
}

/** Bytes as text, if they are UTF-8; undefined otherwise. */
export function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Lines of a hex dump: offset, 16 bytes, and what of them is ASCII. */
export function hexLines(bytes: Uint8Array, offset = 0): string[] {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${(at + offset).toString(16).padStart(6, "0")}  ${hex.padEnd(48)} ${ascii}`);
  }
  return lines;
}

export const number = (value: number): string => value.toLocaleString("en-US");

export const many = (count: number, one: string, several = `${one}s`): string =>
  `${number(count)} ${count === 1 ? one : several}`;

export const seconds = (value: number): string =>
  value < 0.01
    ? `${(value * 1000).toFixed(1)} ms`
    : value < 1
      ? `${Math.round(value * 1000)} ms`
      : `${value.toFixed(2)} s`;

/** A word of a POSIX shell command. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
