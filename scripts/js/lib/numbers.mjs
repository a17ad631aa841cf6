// Functions for KVS scripts: quantities arrive as BigInts, machine objects as themselves.
import { bytes } from "kvs";

/** 2^from, 2^(from+1) ... 2^to. */
export function powers(from, to) {
    const list = [];
    for (let bit = from; bit <= to; bit++) list.push(1n << bit);
    return list;
}

/** Bytes that the largest leaf of the VM's EPT maps. */
export function largest(vm) {
    return vm.stats.pages_1g > 0n ? 1n << 30n : vm.stats.pages_2m > 0n ? 1n << 21n : 4096n;
}

/** `count` times the same value. */
export function repeat(value, count) {
    return Array.from({ length: Number(count) }, () => value);
}

/** The bytes with the one at `offset` replaced. */
export function patched(content, offset, value) {
    const copy = content.toUint8Array();
    copy[Number(offset)] = Number(value);
    return bytes(copy);
}
