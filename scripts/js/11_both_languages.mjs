// 11. KVS from JavaScript: a .kvs file is a module, its VMs, guests and functions are exports.
import { assert, test } from "kvs";
import { touched, worker, violations } from "./lib/worker.kvs";

test("functions of KVS work on objects held by JavaScript", () => {
    touched.vcpu0.load(worker, { at: "1M" });
    assert.outcome(touched.vcpu0.run(), "HLT");
    assert.equal(violations(touched), 5);
});
