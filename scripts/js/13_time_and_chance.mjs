// The same script gives the same bytes on every machine: time stands still, and chance follows --seed.
import { test, assert } from "kvs";

const dice = [Math.random(), Math.random()];

test("the clock stands still", () => {
    assert.equal(Date.now(), 0);
    assert.equal(new Date().toISOString(), "1970-01-01T00:00:00.000Z");
    assert.equal(new Date(2024, 2, 1) instanceof Date, true);
    assert.equal(Date.UTC(2024, 2, 1), 1709251200000);
});

for (const turn of ["first", "second"]) {
    test(`each test throws the same dice: the ${turn}`, () => {
        assert.equal(dice.join(), "0.052790873358508184,0.33112028100185353");
        assert(dice.every((each) => each >= 0 && each < 1));
    });
}
