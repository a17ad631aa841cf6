package kvasir.vmm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;
import kvasir.vmm.lockstep.Lockstep;
import org.junit.jupiter.api.Test;

/** Our processor beside QEMU's, one instruction at a time; skipped where QEMU is not installed. */
final class LockstepTest {
    private static Lockstep.Result run(CodeSize size, String text) throws Exception {
        assumeTrue(Lockstep.available(), "qemu-system-x86_64 is not installed");
        long origin = size == CodeSize.BITS16 ? 0x7c00 : 0x8000;
        var assembled = AssemblyText.assemble(size, origin, text);
        assertEquals(java.util.List.of(), assembled.errors());
        try (Lockstep lockstep = Lockstep.start()) {
            return lockstep.run(size, assembled.code().toArray(), 10_000);
        }
    }

    private static void agree(CodeSize size, String text) throws Exception {
        Lockstep.Result result = run(size, text);
        var agreed = assertInstanceOf(Lockstep.Result.Agreed.class, result, result::toString);
        assertEquals("HLT", agreed.why());
    }

    @Test
    void bootCodeInRealMode() throws Exception {
        agree(CodeSize.BITS16, """
                cli
                xor ax, ax
                mov ss, ax
                mov sp, 0x7000
                mov ax, 0x1234
                mov es, ax
                mov cx, 20
                mov di, 0x10
                rep stosw
                call next
                next: pop bx
                pushf
                pop dx
                hlt
                """);
    }

    @Test
    void segmentsTablesAndControlRegistersIn32BitCode() throws Exception {
        agree(CodeSize.BITS32, """
                mov eax, 0x2b
                mov ds, ax
                sgdt [esp-64]
                sidt [esp-48]
                lsl ebx, ax
                mov eax, cr0
                and eax, 0xfffffffe
                or eax, 1
                mov cr0, eax
                mov eax, 0x7000
                mov dr0, eax
                mov eax, 0x10
                verr ax
                verw ax
                push 0x10
                pop es
                push eax
                pushfd
                push 0x08
                call here
                here: pop edx
                hlt
                """);
    }

    @Test
    void exceptionsIn64BitCode() throws Exception {
        agree(CodeSize.BITS64, "mov rax, 0x1234567890\nmov rbx, [rax]\nnop");
        agree(CodeSize.BITS64, "xor ecx, ecx\ndiv ecx");
        agree(CodeSize.BITS64, "mov eax, 0x1f0\nmov ds, ax");
        agree(CodeSize.BITS64, "ud2");
        agree(CodeSize.BITS64, "int 0x21");
    }
}
