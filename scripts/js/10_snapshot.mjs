// 10. Go back: two experiments start from one state.
import { machine, vm, asm64, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 4M" } });

const counter = asm64`
again:  inc  qword [0x200000]
        hlt
        jmp  again
`;

test("the same future twice", () => {
    plain.vcpu0.load(counter, { at: "1M" });
    assert.outcome(plain.vcpu0.run(), "HLT");
    const before = machine.snapshot();
    const entry = plain.ept[0x200000].raw;

    plain.vcpu0.run();
    plain.vcpu0.run();
    assert.equal(plain.read([0x200000, 0x200001]), "03");

    assert.is(machine.restore(before), "ok");
    assert.equal(plain.read([0x200000, 0x200001]), "01");
    assert.equal(plain.ept[0x200000].raw, entry);
});
