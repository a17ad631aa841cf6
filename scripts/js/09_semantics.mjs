// 9. One script, many kernels: the module is evaluated once under each semantics, and asks which one it is.
import { vm, assert, semantics, test } from "kvs";

const now = semantics("rfc", "rfc-v2", "sean", "v6.11", "v6.16", "v6.18", "v6.19");
const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 2M", backing: "thp", populate: true } });

test("half of the range has no slot", () => {
    const name = now.startsWith("rfc") ? "EAGAIN" : "ok";
    assert.outcome(plain.vcpu0.map_memory("0 .. 4M"), name, { left: 0x200000 });
});
