// 4. How large a page is depends on both sides: one loop over what the VMM may map.
import { vm, assert, test } from "kvs";

const expected = { anon: "leaf(4K, rwx)", thp: "leaf(2M, rwx)", hugetlb2m: "leaf(2M, rwx)" };

for (const [backing, leaf] of Object.entries(expected)) {
    test(`the host's page decides: ${backing}`, () => {
        const guest = vm({ type: "default", name: backing, memory: { range: "0 .. 4M", backing, populate: true } });
        assert.is(guest.vcpu0.map_memory("0 .. 4M"), "ok left 0");
        assert.is(guest.ept[0], leaf);
    });
}

test("so does the address: gpa 4K at an hva of 0 modulo 2M can never be large", () => {
    const crooked = vm({
        type: "default",
        memory: { range: "4K .. 4M", backing: "thp", populate: true, at: 0x7e0000000000n },
    });
    assert.is(crooked.vcpu0.map_memory("4K .. 4M"), "ok left 0");
    assert.is(crooked.ept[0x200000], "leaf(4K, rwx)");
});
