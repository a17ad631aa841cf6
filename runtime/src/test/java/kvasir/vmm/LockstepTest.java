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

    /** To ring 3 with a stack at 6800h; {@code hlt} there is #GP, whose handler halts. */
    private static final String TO_RING_3 = """
            push 0x2b
            push 0x6800
            push 0x202
            push 0x23
            push user
            iretd
            user:
            """;

    @Test
    void callGatesCopyParametersToTheInnerStack() throws Exception {
        agree(CodeSize.BITS32, """
                mov eax, inner
                and eax, 0xffff
                or eax, 0x80000
                mov [0x7e40], eax
                mov dword [0x7e44], 0xec02
                """ + TO_RING_3 + """
                push 0x1111
                push 0x2222
                callf 0x43:0
                mov edx, esp
                hlt
                inner: mov ebx, [esp+8]
                mov ecx, [esp+12]
                mov esi, [esp+16]
                push ds
                mov di, ss
                retf 8
                """);
        agree(CodeSize.BITS32, """
                mov eax, inner
                or eax, 0x80000
                mov [0x7e40], eax
                mov dword [0x7e44], 0x8c00
                callf 0x40:0
                mov edx, esp
                """ + TO_RING_3 + """
                callf 0x43:0
                inner: mov ebx, [esp]
                retf
                """);
    }

    @Test
    void interruptAndTrapGatesDifferInTheInterruptFlag() throws Exception {
        String gates = """
                mov eax, handler
                or eax, 0x80000
                mov [0x4180], eax
                mov [0x4188], eax
                mov dword [0x4184], 0xee00
                mov dword [0x418c], 0xef00
                """;
        String rest = """
                int 0x30
                int 0x31
                mov edx, esp
                hlt
                handler: pushfd
                pop ecx
                mov ebx, esp
                iretd
                """;
        agree(CodeSize.BITS32, gates + "sti\nnop\n" + rest);
        agree(CodeSize.BITS32, gates + TO_RING_3 + rest);
        agree(CodeSize.BITS32, gates + TO_RING_3 + "int 0x32\n" + rest);
    }

    private static final String SECOND_TASK = """
            mov dword [0x7e40], 0x60000067
            mov dword [0x7e44], 0x8900
            mov dword [0x601c], 0x1000
            mov dword [0x6020], task
            mov dword [0x6024], 2
            mov dword [0x6028], 0x11
            mov dword [0x602c], 0x22
            mov dword [0x6038], 0x6c00
            mov dword [0x6048], 0x10
            mov dword [0x604c], 0x08
            mov dword [0x6050], 0x10
            mov dword [0x6054], 0x10
            mov dword [0x6058], 0
            mov dword [0x605c], 0x2b
            mov dword [0x6060], 0
            mov dword [0x6064], 0x680000
            mov dword [0x7f1c], 0x1000
            """;

    @Test
    void taskSwitchesByCallJumpInterruptAndReturn() throws Exception {
        String task = """
                task: pushfd
                pop ebx
                mov eax, 0x77
                iretd
                mov ecx, 0x55
                jmpf 0x38:0
                """;
        agree(CodeSize.BITS32, SECOND_TASK + "mov esi, 0x123\ncallf 0x40:0\nmov edi, esi\ncallf 0x40:0\nhlt\n" + task);
        agree(CodeSize.BITS32, SECOND_TASK + "jmpf 0x40:0\nhlt\ntask: str ax\nmov ecx, cr0\njmpf 0x38:0");
        agree(CodeSize.BITS32, SECOND_TASK + """
                mov dword [0x4180], 0x400000
                mov dword [0x4184], 0xe500
                int 0x30
                mov edx, esp
                hlt
                """ + task);
        agree(CodeSize.BITS32, SECOND_TASK + "mov dword [0x7e44], 0x8b00\njmpf 0x40:0\nhlt\ntask: hlt");
    }

    @Test
    void sysenterAndSysexit() throws Exception {
        agree(CodeSize.BITS32, """
                xor edx, edx
                mov ecx, 0x174
                mov eax, 8
                wrmsr
                mov ecx, 0x175
                mov eax, 0x6e00
                wrmsr
                mov ecx, 0x176
                mov eax, kernel
                wrmsr
                """ + TO_RING_3 + """
                sysenter
                kernel: push 0x1234
                mov edx, back
                mov ecx, 0x6700
                sysexitd
                back: pop eax
                sysexitd
                """);
        agree(CodeSize.BITS32, "mov ecx, 0x174\nxor eax, eax\nxor edx, edx\nwrmsr\nsysenter");
    }
}
