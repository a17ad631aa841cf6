import { vm, assert, semantics, test } from "kvs";

const now = semantics("rfc", "v6.19");
const plain = vm({ type: "default", vcpus: 1, memory: { gpa: 0, size: "2M" } });

test("half of the range has no slot", () => {
    const result = plain.vcpu0.map_memory(0, "4M");
    console.log(`under ${now}: ${result.name}, left ${result.left}`);
    assert.outcome(result, now === "rfc" ? "EAGAIN" : "ok", { left: "2M" });
});
