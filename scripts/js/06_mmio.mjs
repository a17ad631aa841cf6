// 6. A device of one's own is a function that answers exits; a KVS loop could not say this.
import { vm, asm64, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 2M" } });

const driver = asm64`
        mov  rbx, 0xfee10000
next:   mov  eax, [rbx]                 // a register of the device
        mov  [rbx + 4], eax
        cmp  eax, 3
        jb   next
        hlt
`;

test("a counter that counts its reads", () => {
    plain.vcpu0.load(driver, { at: "1M" });
    const written = [];
    let reads = 0n;
    let exit = plain.vcpu0.run();
    while (exit.name === "MMIO") {
        const page = plain.vcpu0.kvm_run;
        if (page.fields.is_write) {
            written.push(page.mmio_data);
        } else {
            page.mmio_data = ++reads;
        }
        exit = plain.vcpu0.run();
    }
    assert.outcome(exit, "HLT");
    assert.equal(written, [1, 2, 3]);
    assert.is(plain.ept[0xfee10000], "mmio");
});
