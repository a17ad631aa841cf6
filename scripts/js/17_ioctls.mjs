// 17. Ioctls by their names: a VMM's state of a vCPU and of a VM, saved and put back; the task priority; a doorbell.
import { vm, asm64, assert, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 2M" } });

const lowers = asm64`
        mov  rax, 5
        mov  cr8, rax
        mov  rax, 3
        mov  cr8, rax
        mov  eax, 0x80000000
        mov  dword [rax], 7
        hlt
`;

test("what is saved can be put back", () => {
    const fpu = plain.vcpu0.get_fpu();
    plain.vcpu0.set_fpu({ fcw: 0x27fn, xmm3: { low: 5n } });
    assert.equal(plain.vcpu0.get_fpu().xmm3.low, 5);
    plain.vcpu0.set_fpu(fpu);
    assert.equal(plain.vcpu0.get_fpu(), fpu);
    assert.outcome(plain.vcpu0.set_xcrs({ xcrs0: { value: 2n } }), "EINVAL");
});

test("SET_TPR, and a write that only an eventfd hears", () => {
    const bell = plain.host.eventfd();
    plain.ioeventfd(bell, { addr: "2G", len: 4 });
    plain.vcpu0.load(lowers, { at: "1M" });
    assert.outcome(plain.vcpu0.run(), "SET_TPR");
    assert.equal(plain.vcpu0.kvm_run.cr8, 3);
    assert.outcome(plain.vcpu0.run(), "HLT");
    assert.equal(plain.host.read_eventfd(bell), 1);
});
