/** The types of the contract's fields: each reads one decoded value, or refuses it with `Misfit`. Pure. */

/** A value does not fit its field; the text says where and why. */
export class Misfit extends Error {}

export type Reader<T> = (value: unknown) => T;

/** A field of a body: how its value is read, and what it is when it is missing; one without a default is needed. */
export interface Field<T> {
  read: Reader<T>;
  default?: () => T;
}

export type Fields = Record<string, Field<unknown>>;
export type Body<F extends Fields> = { [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

/** Numbers of tasks and epochs: a bigint where a number would not be exact. */
export type Id = number | bigint;

export function needed<T>(read: Reader<T>): Field<T> {
  return { read };
}

export function field<T>(read: Reader<T>, value: () => T): Field<T> {
  return { read, default: value };
}

/** The known fields of a body, with defaults for those that are missing; unknown ones are left out. */
export function readBody<F extends Fields>(fields: F, body: unknown): Body<F> {
  const given = map(body);
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fields)) {
    if (Object.hasOwn(given, name)) values[name] = within(name, () => field.read(given[name]));
    else if (field.default === undefined) throw new Misfit(`${name} is missing`);
    else values[name] = field.default();
  }
  return values as Body<F>;
}

function within<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Misfit) throw new Misfit(`${name}: ${error.message}`);
    throw error;
  }
}

function map(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new Misfit("must be a map");
  }
  return value as Record<string, unknown>;
}

function wide(least: bigint, most: bigint): Reader<Id> {
  return (value) => {
    const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
    if (!isInteger || value < least || value > most) throw new Misfit(`must be an integer from ${least} to ${most}`);
    return value;
  };
}

function narrow(least: number, most: number): Reader<number> {
  const read = wide(BigInt(least), BigInt(most));
  return (value) => Number(read(value));
}

export const u16 = narrow(0, 0xffff);
export const u32 = narrow(0, 0xffff_ffff);
export const i32 = narrow(-0x8000_0000, 0x7fff_ffff);
/** Where a task stands before others: lower runs first. */
export const priority = narrow(-100, 100);
export const u64 = wide(0n, 2n ** 64n - 1n);
/** Milliseconds, where more than a number can say is as good as for ever. */
export const millis: Reader<number> = (value) => Number(u64(value));

export const real: Reader<number> = (value) => {
  if (typeof value !== "number" && typeof value !== "bigint") throw new Misfit("must be a number");
  return Number(value);
};

export const text: Reader<string> = (value) => {
  if (typeof value !== "string") throw new Misfit("must be text");
  return value;
};

export const boolean: Reader<boolean> = (value) => {
  if (typeof value !== "boolean") throw new Misfit("must be true or false");
  return value;
};

/** MessagePack of its own, not decoded here; no bytes mean nothing. A copy, so that it keeps no larger buffer alive. */
export const payload: Reader<Uint8Array> = (value) => {
  if (value === null) return NOTHING;
  if (!(value instanceof Uint8Array)) throw new Misfit("must be bin");
  return new Uint8Array(value);
};
export const NOTHING = new Uint8Array(0);

export function optional<T>(read: Reader<T>): Reader<T | null> {
  return (value) => (value === null ? null : read(value));
}

export function listOf<T>(read: Reader<T>, mostItems: number): Reader<T[]> {
  return (value) => {
    if (!Array.isArray(value) || value.length > mostItems) throw new Misfit(`must be an array of at most ${mostItems}`);
    return value.map((item) => read(item));
  };
}

/** A map from text to values of one type. */
export function mapOf<T>(read: Reader<T>, mostItems: number): Reader<Record<string, T>> {
  return (value) => {
    const entries = Object.entries(map(value));
    if (entries.length > mostItems) throw new Misfit(`must be a map of at most ${mostItems}`);
    return Object.fromEntries(entries.map(([name, item]) => [name, within(name, () => read(item))]));
  };
}

export function oneOf<T extends string>(...names: T[]): Reader<T> {
  return (value) => {
    if (!names.includes(value as T)) throw new Misfit(`must be one of ${names.join(", ")}`);
    return value as T;
  };
}

/** The first of the readers that takes the value; the error of the last when none does. */
export function either<A, B>(first: Reader<A>, second: Reader<B>): Reader<A | B> {
  return (value) => {
    try {
      return first(value);
    } catch (error) {
      if (!(error instanceof Misfit)) throw error;
      return second(value);
    }
  };
}

export function bodyOf<F extends Fields>(fields: F): Reader<Body<F>> {
  return (value) => readBody(fields, value);
}

/** A map of exactly one entry, such as `{"after_ms": 5}`. */
export function only<T>(name: string, read: Reader<T>): Reader<Record<string, T>> {
  return (value) => {
    const given = map(value);
    if (Object.keys(given).join() !== name) throw new Misfit(`must be a map of ${name}`);
    return { [name]: within(name, () => read(given[name])) };
  };
}
