// 18. What the host may do at any time, as one more task of a race: a signal and memory pressure, at every step.
import { host, vm, assert, race, test } from "kvs";

const plain = vm({ type: "default", vcpus: 1, memory: { range: "0 .. 2M", backing: "anon" } });
const populate = () => plain.vcpu0.map_memory("0 .. 8K");

test("a signal at each step of a pre-fault", () => {
    const found = race("a signal", { populate }, {
        explore: { faults: "signal" },
        never: ["deadlock", "livelock", "kvm_bug", "invariant violation"],
        always: ({ populate, signal }) => signal.ok && ["ok", "EINTR"].includes(populate.name),
        sometimes: [
            ({ populate }) => populate.name === "EINTR",
            ({ populate }) => populate.ok && populate.left === 4096n,
            ({ populate }) => populate.ok && populate.left === 0n,
        ],
    });
    assert(found.completeness.startsWith("complete ("));
    // the token names the fault with its letter
    const refused = found.endings.find((ending) => ending.text.startsWith("populate EINTR"));
    assert.equal(refused.token, "k1:0B");
});

test("the same fault, once, by hand", () => {
    host.inject("signal");
    assert.outcome(populate(), "EINTR");
});

test("a host does not do everything", () => {
    assert.throws(() => race("no", { populate }, { explore: { faults: ["earthquake"] } }), "no host does");
});
