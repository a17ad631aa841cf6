package kvasir.metal.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ClassLoadingMXBean;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

/**
 * Code that is translated, changed and translated again leaves nothing behind: {@code -Dkvasir.soak.rounds=50000} for the
 * long run.
 */
final class TranslationSoakTest {
    private static final int ROUNDS = Integer.getInteger("kvasir.soak.rounds", 1500);

    @Test
    void droppedTranslationsAreCollected() {
        Bench bench = Bench.bits64("""
                mov ecx, 40
                again:
                add rax, 1
                dec ecx
                jnz again
                hlt
                """);
        bench.cpu.setEngine(Engine.TRANSLATOR_AT_ONCE);
        ClassLoadingMXBean classes = ManagementFactory.getClassLoadingMXBean();
        System.gc();
        int before = classes.getLoadedClassCount();
        for (int round = 0; round < ROUNDS; round++) {
            int step = round % 100 + 1;
            bench.memory.write8(Bench.CODE + 8, (byte) step);
            bench.cpu.setGpr(Gpr.RAX, 0);
            bench.cpu.setRip(Bench.CODE);
            assertTrue(bench.cpu.run(1000) instanceof VmExit.Hlt);
            assertEquals(40L * step, bench.cpu.gpr(Gpr.RAX));
        }
        Cpu.Translations count = bench.cpu.translations();
        assertTrue(count.made() >= ROUNDS && count.dropped() >= ROUNDS - 1, count::toString);
        assertTrue(count.living() <= 2, count::toString);
        System.gc();
        int after = classes.getLoadedClassCount();
        assertTrue(after < before + ROUNDS / 5, () -> before + " classes became " + after);
    }
}
