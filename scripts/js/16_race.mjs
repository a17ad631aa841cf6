// 16. Every interleaving of two ioctls, from JavaScript: q22, pre-faulting against the deletion of the slot.
import { vm, assert, race, semantics, test } from "kvs";

const now = semantics("v6.16", "v6.18", "v6.19");
const plain = vm({
    type: "default",
    vcpus: 1,
    memory: { range: "0 .. 2M", backing: "anon" },
    disable_quirks: 0x80,
});
const tasks = {
    populate: () => plain.vcpu0.map_memory("0 .. 8K"),
    delete: () => plain.delete_slot(0),
};

test("map_memory against slot deletion", () => {
    if (now === "v6.16") {
        const found = race("map_memory against slot deletion", tasks, {
            explore: { preemptions: 1 },
            sometimes: "livelock",
            never: ["deadlock", "kvm_bug"],
        });
        const livelock = found.endings.find((ending) => ending.kind === "livelock");
        assert.equal(livelock.preemptions, 1);
        const again = race("the same", tasks, { explore: { replay: livelock.token } });
        assert.equal(again.text, livelock.schedule);
    } else {
        const found = race("map_memory against slot deletion", tasks, {
            never: ["livelock", "deadlock", "kvm_bug", "invariant violation"],
            always: ({ populate }) => ["ok", "EAGAIN", "ENOENT"].includes(populate.name),
            sometimes: ({ populate }) => populate.name === "EAGAIN",
        });
        assert(found.completeness.startsWith("complete ("));
        // the same search again finds the same, to the letter, and so does one that takes every step by itself
        const again = race("map_memory against slot deletion", tasks, {});
        assert.equal(again.text, found.text);
        const whole = race("step by step", tasks, { explore: { merging: false, symmetry: false } });
        assert.equal(whole.endings.length, found.endings.length);
        for (const ending of found.endings) {
            const replayed = race(ending.text, tasks, { explore: { replay: ending.token } });
            assert.equal(replayed.text, ending.schedule);
        }
    }
    // the machine is as it was before the races
    assert.outcome(plain.vcpu0.map_memory("0 .. 8K"), "ok", { left: 0 });
});

test("a claim that does not hold is told with the shortest schedule", () => {
    const broken = () => race("always ok", tasks, { always: ({ populate }) => populate.ok });
    assert.throws(broken, "does not hold");
});
