// ENOSPC: the 31 key ids that the host has for TDs are all taken; a TD's end gives its own back.
import { vm, assert, test } from "kvs";

test("KVM_TDX_INIT_VM: no free HKID", () => {
    const tds = [];
    for (let i = 0; i < 31; i++) {
        tds.push(vm({ type: "tdx", name: `td${i}`, vcpus: 0 }));
    }
    const last = vm({ type: "tdx", name: "last", vcpus: 0, no_init: true });
    assert.outcome(last.init(), "ENOSPC");
    tds[3].destroy();
    assert.outcome(last.init(), "ok");
});
