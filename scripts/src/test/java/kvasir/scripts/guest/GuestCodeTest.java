package kvasir.scripts.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import kvasir.grammar.Kvs;
import kvasir.grammar.SourceFile;
import kvasir.grammar.Statement;
import org.junit.jupiter.api.Test;

/** Guest programs as people write them, against bytes as GNU as and nasm give them. */
final class GuestCodeTest {
    private static GuestCode guest(int bits, String code, Map<String, Long> constants) {
        var parsed = Kvs.parse(new SourceFile("test", "guest g = asm" + bits + " {\n" + code + "\n}\n"));
        assertEquals(List.of(), parsed.diagnostics());
        var guest = (Statement.Guest) parsed.script().statements().getFirst();
        return new GuestCode("g", guest.bits(), guest.code(), constants);
    }

    private static String hex(int bits, String code) {
        GuestCode.Result result = guest(bits, code, Map.of()).assemble(0);
        assertEquals(List.of(), result.faults());
        return result.code().hex();
    }

    @Test
    void theProbeOfTheDesign() {
        assertEquals("488b042500100000" + "c60425002000005a" + "f4", hex(64, """
                mov  rax, [0x1000]
                mov  byte [0x2000], 0x5a
                hlt
                """));
    }

    @Test
    void aBootSectorEndsInItsSignature() {
        GuestCode.Result sector = guest(16, """
                org 0x7c00
                start: cli
                    mov si, text
                    jmp start
                text: db "hi", 0
                times 510 - ($ - $$) db 0
                dw 0xaa55
                """, Map.of()).assemble(0);
        assertEquals(List.of(), sector.faults());
        assertEquals(512, sector.code().length());
        assertTrue(sector.code().hex().startsWith("fa" + "be067c" + "ebfa" + "686900"));
        assertTrue(sector.code().hex().endsWith("55aa"));
    }

    @Test
    void labelsCountFromTheAddressOfLoading() {
        var code = guest(32, "mov eax, here\nhere: hlt\n", Map.of());
        assertEquals("b80500000" + "0f4", code.assembledAt(0).hex());
        assertEquals("b805001000" + "f4", code.assembledAt(0x10_0000).hex());
    }

    @Test
    void addressesAreSumsOfRegistersAndNumbers() {
        assertEquals("8b4c8810", hex(32, "mov ecx, [eax + ecx*4 + 16]"));
        assertEquals("678b44b3f8", hex(64, "mov eax, [ebx + esi*4 - 8]"));
        assertEquals("488b0500000000", hex(64, "mov rax, [rel here]\nhere:"));
        assertEquals("268b07", hex(16, "mov ax, [es:bx]"));
        assertEquals("ea000000000800", hex(32, "jmp 0x08:0"));
    }

    @Test
    void equatesAndIntegersOfTheScript() {
        var code = guest(32, "PORT equ BASE + 3\nmov edx, PORT\nout dx, al\n", Map.of("BASE", 0x3f8L));
        assertEquals("bafb030000" + "ee", code.assembledAt(0).hex());
    }

    @Test
    void faultsNameTheirItem() {
        GuestCode.Result result =
                guest(64, "nop\nmvo rax, 1\nmov rax, nowhere\n", Map.of()).assemble(0);
        assertEquals(
                "`nowhere` is no register, label or integer of the script",
                result.faults().getFirst().message());
        GuestCode.Result unknown = guest(64, "nop\nmvo rax, 1\n", Map.of()).assemble(0);
        assertEquals("mvo rax, 1", unknown.faults().getFirst().span().text());
        GuestCode.Result wide = guest(16, "mov rax, 1\n", Map.of()).assemble(0);
        assertEquals(1, wide.faults().size());
    }
}
