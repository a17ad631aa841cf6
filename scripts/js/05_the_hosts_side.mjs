// 5. Two sets of tables: the VMM's and the guest's.
import { vm, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 4M", backing: "anon" } });

test("MAP_POPULATE fills one set only", () => {
    const base = plain.hva(0);
    assert.is(plain.host.populate(base, base + 0x400000n), "ok");
    assert.is(plain.host[base], "present(4K, rw)");
    assert.equal(plain.ept.mapped, 0);
});

test("what the VMM unmaps, the guest loses", () => {
    const base = plain.hva(0);
    plain.host.populate(base, base + 0x400000n);
    assert.is(plain.vcpu0.map_memory("0 .. 8K"), "ok");
    plain.host.munmap(base, base + 0x1000n);
    assert.isNot(plain.ept[0], "leaf");
    assert.is(plain.ept[0x1000], "leaf(4K, rwx)");
    assert.outcome(plain.vcpu0.map_memory("0 .. 4K"), "EFAULT"); // nothing is behind the slot any more
});
