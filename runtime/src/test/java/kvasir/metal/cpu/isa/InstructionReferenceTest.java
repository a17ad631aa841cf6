package kvasir.metal.cpu.isa;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Optional;
import org.junit.jupiter.api.Test;

final class InstructionReferenceTest {
    @Test
    void anEncodingIsWrittenAsInTheManuals() {
        assertEquals(Optional.of("""
                        instruction                    encoding                     modes     feature  flags
                        vpermilps xmm, xmm, xmm/m128   VEX.128.66.0F38.W0 0C /r     16 32 64  AVX      -
                        vpermilps ymm, ymm, ymm/m256   VEX.256.66.0F38.W0 0C /r     16 32 64  AVX      -
                        vpermilps xmm, xmm/m128, imm8  VEX.128.66.0F3A.W0 04 /r ib  16 32 64  AVX      -
                        vpermilps ymm, ymm/m256, imm8  VEX.256.66.0F3A.W0 04 /r ib  16 32 64  AVX      -

                        On SapphireRapids: all, EPYC-Milan: all
                        """), InstructionReference.page("vpermilps"));
        assertTrue(InstructionReference.page("EXTRQ").orElse("").contains("SapphireRapids: none, EPYC-Milan: all"));
        assertEquals(Optional.empty(), InstructionReference.page("vpermilp"));
    }

    @Test
    void thePageHasEveryRow() {
        String page = InstructionReference.page();
        assertEquals(InstructionTable.rows().size() + 6, page.lines().count());
    }
}
