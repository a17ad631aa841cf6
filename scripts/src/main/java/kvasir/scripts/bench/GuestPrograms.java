package kvasir.scripts.bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import kvasir.metal.cpu.isa.Assembled;
import kvasir.metal.cpu.isa.AssemblyText;
import kvasir.metal.cpu.isa.CodeSize;

/** Programs in 64-bit code for {@code kvs bench cpu}: multiboot images that any such loader starts. */
final class GuestPrograms {
    private static final int LOAD = 0x10_0000;
    private static final int ENTRY = 0x10_0020;
    private static final int CODE = 0x10_1000;
    private static final int MULTIBOOT = 0x1bad_b002;

    /** Offset of the segment in the file. */
    private static final int HEADERS = 128;

    /** From the loader's 32-bit mode to 64-bit mode, the first GiB mapped to itself by 2 MiB pages. */
    private static final String START = """
            mov  dword [0x200000], 0x201003
            mov  dword [0x201000], 0x202003
            xor  ecx, ecx
            fill:
            mov  eax, ecx
            shl  eax, 21
            or   eax, 0x83
            mov  [0x202000 + ecx*8], eax
            mov  dword [0x202004 + ecx*8], 0
            inc  ecx
            cmp  ecx, 512
            jne  fill
            mov  eax, cr4
            or   eax, 0x620
            mov  cr4, eax
            mov  eax, 0x200000
            mov  cr3, eax
            mov  ecx, 0xc0000080
            rdmsr
            or   eax, 0x100
            wrmsr
            mov  eax, cr0
            and  eax, 0xfffffffb
            or   eax, 0x80000002
            mov  cr0, eax
            lgdt [gdtr]
            jmpf 8:0x101000
            gdtr:
            dw   23
            dd   gdt
            gdt:
            dq   0, 0x00af9b000000ffff, 0x00cf93000000ffff
            """;

    /** Ends by the debug-exit port, and where there is none, by the port at which Bochs hears "Shutdown". */
    private static final String END = """

            mov  al, 0
            mov  dx, 0xf4
            out  dx, al
            mov  esi, farewell
            mov  ecx, 8
            mov  edx, 0x8900
            letter:
            mov  al, [rsi]
            out  dx, al
            inc  esi
            dec  ecx
            jnz  letter
            stop: jmp stop
            farewell: db "Shutdown"
            """;

    private static final int ROM = 0x1_0000;
    private static final int PAYLOAD = 0x100;

    /** From the reset vector to {@link #START}: flat 32-bit segments, the payload copied to where a loader puts it. */
    private static final String RESET = """
            cli
            lgdt [cs:gdtr]
            mov  eax, cr0
            or   al, 1
            mov  cr0, eax
            db   0x66, 0xea
            dd   0xf0080
            dw   8
            gdtr:
            dw   23
            dd   0xf0000 + gdt
            gdt:
            dq   0, 0x00cf9b000000ffff, 0x00cf93000000ffff
            """;

    private static final String FLAT = """
            mov  eax, 0x10
            mov  ds, ax
            mov  es, ax
            mov  ss, ax
            mov  esi, 0xf0100
            mov  edi, 0x100000
            mov  ecx, 0xfe00
            rep movsb
            mov  eax, 0x100020
            jmp  eax
            """;

    /** At the end of the ROM: a far jump to its begin. */
    private static final byte[] VECTOR = {(byte) 0xea, 0, 0, 0, (byte) 0xf0};

    private GuestPrograms() {}

    /**
     * One of them.
     *
     * @param bytes that it moves, if that is what counts; 0 if instructions are
     */
    record Program(String name, String text, long bytes) {
        Program(String name, String text) {
            this(name, text, 0);
        }

        /** A 32-bit ELF file of one segment, which begins with a multiboot header. */
        byte[] image() {
            byte[] start = assemble(CodeSize.BITS32, ENTRY, START);
            byte[] code = assemble(CodeSize.BITS64, CODE, "mov esp, 0x1ff000\n" + text + END);
            int bytes = CODE - LOAD + code.length;
            var image = ByteBuffer.allocate(HEADERS + bytes).order(ByteOrder.LITTLE_ENDIAN);
            image.putInt(0x464c_457f).putInt(0x0001_0101).putLong(0);
            image.putShort((short) 2).putShort((short) 3).putInt(1).putInt(ENTRY);
            image.putInt(52).putInt(0).putInt(0);
            image.putShort((short) 52).putShort((short) 32).putShort((short) 1);
            image.position(52);
            image.putInt(1).putInt(HEADERS).putInt(LOAD).putInt(LOAD);
            image.putInt(bytes).putInt(bytes).putInt(7).putInt(0);
            image.position(HEADERS);
            image.putInt(MULTIBOOT).putInt(0).putInt(-MULTIBOOT);
            image.position(HEADERS + ENTRY - LOAD);
            image.put(start);
            image.position(HEADERS + CODE - LOAD);
            image.put(code);
            return image.array();
        }

        /** 64 KiB that end at 4 GiB, for a machine without a loader: it starts itself from the reset vector. */
        byte[] rom() {
            byte[] image = image();
            return ByteBuffer.allocate(ROM)
                    .put(0, assemble(CodeSize.BITS16, 0, RESET))
                    .put(0x80, assemble(CodeSize.BITS32, 0xf_0080, FLAT))
                    .put(PAYLOAD, image, HEADERS, image.length - HEADERS)
                    .put(ROM - 16, VECTOR)
                    .array();
        }

        private static byte[] assemble(CodeSize size, long origin, String text) {
            Assembled assembled = AssemblyText.assemble(size, origin, text);
            if (!assembled.ok()) {
                throw new IllegalStateException(assembled.errors().toString());
            }
            return assembled.code().toArray();
        }
    }

    static List<Program> all() {
        return List.of(
                new Program("mixed: list, matrix, text, checksum", """
                        xor  ecx, ecx
                        node:
                        mov  eax, ecx
                        shl  eax, 4
                        lea  edx, [rax + 0x300010]
                        mov  [rax + 0x300000], rdx
                        imul edx, ecx, 0x9e3779b1
                        shr  edx, 16
                        mov  [rax + 0x300008], rdx
                        inc  ecx
                        cmp  ecx, 64
                        jb   node
                        mov  qword [0x3003f0], 0
                        mov  qword [0x308000], 0x300000
                        xor  ecx, ecx
                        cell:
                        lea  eax, [rcx + rcx*2 + 1]
                        mov  [rcx*4 + 0x301000], eax
                        lea  eax, [rcx + rcx*4 + 7]
                        mov  [rcx*4 + 0x301400], eax
                        inc  ecx
                        cmp  ecx, 64
                        jb   cell
                        mov  rax, 0x2c332b65352e312c
                        mov  [0x302000], rax
                        mov  rax, 0x2e3830312c782c39
                        mov  [0x302008], rax
                        mov  rax, 0x3039332c35322c30
                        mov  [0x302010], rax
                        mov  rax, 0x2e372c2d652d312e
                        mov  [0x302018], rax
                        mov  byte [0x302020], 0
                        mov  dword [0x303000], begin
                        mov  dword [0x303008], whole
                        mov  dword [0x303010], fraction
                        mov  dword [0x303018], power
                        mov  ebp, 200000
                        again:
                        call list
                        call matrix
                        call machine
                        call checksum
                        dec  ebp
                        jnz  again
                        jmp  over

                        list:
                        mov  rsi, [0x308000]
                        xor  edi, edi
                        link:
                        mov  rax, [rsi]
                        add  r12, [rsi + 8]
                        mov  [rsi], rdi
                        mov  rdi, rsi
                        mov  rsi, rax
                        test rax, rax
                        jnz  link
                        mov  [0x308000], rdi
                        ret

                        matrix:
                        xor  r8d, r8d
                        row:
                        xor  r9d, r9d
                        column:
                        mov  eax, r8d
                        shl  eax, 5
                        lea  rsi, [rax + 0x301000]
                        lea  rdi, [r9*4 + 0x301400]
                        mov  ecx, 8
                        xor  edx, edx
                        product:
                        mov  eax, [rsi]
                        imul eax, [rdi]
                        add  edx, eax
                        add  rsi, 4
                        add  rdi, 32
                        dec  ecx
                        jnz  product
                        lea  eax, [r9 + r8*8]
                        mov  [rax*4 + 0x301800], edx
                        add  r12, rdx
                        inc  r9d
                        cmp  r9d, 8
                        jb   column
                        inc  r8d
                        cmp  r8d, 8
                        jb   row
                        ret

                        machine:
                        mov  esi, 0x302000
                        xor  ebx, ebx
                        symbol:
                        movzx eax, byte [rsi]
                        inc  rsi
                        test al, al
                        jz   ended
                        jmp  qword [0x303000 + rbx*8]
                        begin:
                        cmp  al, 0x2c
                        je   symbol
                        cmp  al, 0x2e
                        je   point
                        cmp  al, 0x30
                        jb   other
                        cmp  al, 0x39
                        ja   other
                        mov  ebx, 1
                        jmp  symbol
                        whole:
                        cmp  al, 0x2e
                        je   point
                        cmp  al, 0x2c
                        je   separator
                        cmp  al, 0x65
                        je   exponent
                        jmp  symbol
                        fraction:
                        cmp  al, 0x65
                        je   exponent
                        cmp  al, 0x2c
                        je   separator
                        jmp  symbol
                        power:
                        cmp  al, 0x2c
                        je   separator
                        jmp  symbol
                        point:
                        mov  ebx, 2
                        jmp  symbol
                        exponent:
                        mov  ebx, 3
                        jmp  symbol
                        separator:
                        add  r12, rbx
                        xor  ebx, ebx
                        jmp  symbol
                        other:
                        inc  r13
                        jmp  symbol
                        ended:
                        add  r12, rbx
                        ret

                        checksum:
                        mov  eax, r12d
                        mov  ecx, 64
                        bit:
                        mov  edx, eax
                        xor  edx, r14d
                        shr  r14d, 1
                        shr  eax, 1
                        test dl, 1
                        jz   even
                        xor  r14d, 0xa001
                        even:
                        dec  ecx
                        jnz  bit
                        ret
                        over:
                        """),
                new Program("integers and branches", """
                        mov  ecx, 100000000
                        again:
                        add  rax, rcx
                        xor  rdx, rax
                        lea  rbx, [rax + rdx*4 + 5]
                        test bl, 8
                        jz   even
                        sub  rbx, 3
                        even:
                        imul rdx, rbx
                        dec  ecx
                        jnz  again
                        """),
                new Program("copy of words", """
                        mov  ebp, 100000
                        again:
                        mov  ecx, 1024
                        next:
                        mov  rax, [0x300000 + rcx*8]
                        add  rax, rdx
                        mov  [0x310000 + rcx*8], rax
                        dec  ecx
                        jnz  next
                        dec  ebp
                        jnz  again
                        """),
                new Program("sieve", """
                        mov  ebp, 500
                        again:
                        mov  edi, 0x400000
                        mov  ecx, 65536
                        mov  al, 1
                        rep stosb
                        mov  ebx, 2
                        candidate:
                        movzx eax, byte [rbx + 0x400000]
                        test al, al
                        jz   next
                        lea  ecx, [rbx + rbx]
                        strike:
                        cmp  ecx, 65536
                        jae  next
                        mov  byte [rcx + 0x400000], 0
                        add  ecx, ebx
                        jmp  strike
                        next:
                        inc  ebx
                        cmp  ebx, 65536
                        jb   candidate
                        dec  ebp
                        jnz  again
                        """),
                new Program("recursive calls", """
                        mov  edi, 37
                        call fib
                        jmp  over
                        fib:
                        cmp  edi, 2
                        jb   small
                        push rdi
                        dec  edi
                        call fib
                        pop  rdi
                        push rax
                        sub  edi, 2
                        call fib
                        pop  rdx
                        add  eax, edx
                        ret
                        small:
                        mov  eax, edi
                        ret
                        over:
                        """),
                new Program("calls through a table", """
                        mov  dword [0x300000], one
                        mov  dword [0x300008], two
                        mov  dword [0x300010], three
                        mov  dword [0x300018], four
                        mov  ebp, 20000000
                        again:
                        mov  eax, ebp
                        imul eax, eax, 0x9e3779b1
                        shr  eax, 30
                        call qword [0x300000 + rax*8]
                        dec  ebp
                        jnz  again
                        jmp  over
                        one:
                        add  ebx, 1
                        ret
                        two:
                        xor  ebx, 2
                        ret
                        three:
                        sub  ebx, 3
                        ret
                        four:
                        lea  ebx, [rbx + rbx*2]
                        ret
                        over:
                        """),
                new Program("double-precision arithmetic", """
                        mov  ecx, 60000000
                        mov  eax, 3
                        cvtsi2sd xmm1, eax
                        cvtsi2sd xmm2, ecx
                        again:
                        movapd xmm0, xmm1
                        mulsd xmm0, xmm0
                        addsd xmm0, xmm2
                        divsd xmm0, xmm1
                        subsd xmm1, xmm0
                        sqrtsd xmm3, xmm2
                        addsd xmm1, xmm3
                        dec  ecx
                        jnz  again
                        """),
                new Program("Mandelbrot set", """
                        mov  rax, 0x3fa0000000000000
                        mov  [0x300000], rax
                        mov  rax, 0x3ff8000000000000
                        mov  [0x300008], rax
                        mov  rax, 0x3ff0000000000000
                        mov  [0x300010], rax
                        mov  rax, 0x4010000000000000
                        mov  [0x300018], rax
                        movsd xmm7, [0x300018]
                        mov  ebp, 100
                        frame:
                        mov  r8d, 64
                        line:
                        cvtsi2sd xmm1, r8d
                        mulsd xmm1, [0x300000]
                        subsd xmm1, [0x300010]
                        mov  r9d, 64
                        point:
                        cvtsi2sd xmm0, r9d
                        mulsd xmm0, [0x300000]
                        subsd xmm0, [0x300008]
                        xorpd xmm2, xmm2
                        xorpd xmm3, xmm3
                        mov  ecx, 64
                        turn:
                        movapd xmm4, xmm2
                        mulsd xmm4, xmm2
                        movapd xmm5, xmm3
                        mulsd xmm5, xmm3
                        movapd xmm6, xmm4
                        addsd xmm6, xmm5
                        ucomisd xmm6, xmm7
                        ja   escaped
                        mulsd xmm3, xmm2
                        addsd xmm3, xmm3
                        addsd xmm3, xmm1
                        subsd xmm4, xmm5
                        addsd xmm4, xmm0
                        movapd xmm2, xmm4
                        dec  ecx
                        jnz  turn
                        escaped:
                        add  r12, rcx
                        dec  r9d
                        jnz  point
                        dec  r8d
                        jnz  line
                        dec  ebp
                        jnz  frame
                        """),
                new Program("checksum by a table", """
                        mov  ecx, 65536
                        fill:
                        imul eax, ecx, 0x9e3779b1
                        mov  [0x400000 + rcx*4], eax
                        dec  ecx
                        jnz  fill
                        mov  ebp, 400
                        again:
                        xor  esi, esi
                        next:
                        movzx eax, byte [rsi + 0x410000]
                        xor  al, dl
                        shr  edx, 8
                        xor  edx, [0x400000 + rax*4]
                        inc  esi
                        cmp  esi, 131072
                        jb   next
                        dec  ebp
                        jnz  again
                        """),
                new Program("a bytecode interpreter", """
                        mov  dword [0x300000], one
                        mov  dword [0x300008], two
                        mov  dword [0x300010], three
                        mov  dword [0x300018], four
                        mov  rax, 0x0102000301020100
                        mov  [0x301000], rax
                        mov  rax, 0x0300010203000201
                        mov  [0x301008], rax
                        mov  ebp, 40000000
                        next:
                        mov  ecx, ebp
                        and  ecx, 15
                        movzx eax, byte [rcx + 0x301000]
                        dec  ebp
                        js   over
                        jmp  qword [0x300000 + rax*8]
                        one:
                        add  rbx, 3
                        jmp  next
                        two:
                        xor  rbx, rbp
                        jmp  next
                        three:
                        lea  rbx, [rbx + rbx*2]
                        jmp  next
                        four:
                        shr  rbx, 1
                        jmp  next
                        over:
                        """),
                new Program("interrupts and returns", """
                        mov  eax, handler
                        mov  [0x300800], ax
                        mov  word [0x300802], 8
                        mov  word [0x300804], 0x8e00
                        shr  eax, 16
                        mov  [0x300806], ax
                        mov  qword [0x300808], 0
                        mov  word [0x302000], 4095
                        mov  qword [0x302002], 0x300000
                        lidt [0x302000]
                        mov  ebp, 3000000
                        again:
                        int  0x80
                        dec  ebp
                        jnz  again
                        jmp  over
                        handler:
                        inc  rbx
                        iretq
                        over:
                        """),
                new Program("undefined instructions", """
                        mov  eax, handler
                        mov  [0x300060], ax
                        mov  word [0x300062], 8
                        mov  word [0x300064], 0x8e00
                        shr  eax, 16
                        mov  [0x300066], ax
                        mov  qword [0x300068], 0
                        mov  word [0x302000], 4095
                        mov  qword [0x302002], 0x300000
                        lidt [0x302000]
                        mov  ebp, 2000000
                        again:
                        ud2
                        dec  ebp
                        jnz  again
                        jmp  over
                        handler:
                        add  qword [rsp], 2
                        iretq
                        over:
                        """),
                new Program("page faults", """
                        mov  eax, handler
                        mov  [0x3000e0], ax
                        mov  word [0x3000e2], 8
                        mov  word [0x3000e4], 0x8e00
                        shr  eax, 16
                        mov  [0x3000e6], ax
                        mov  qword [0x3000e8], 0
                        mov  word [0x302000], 4095
                        mov  qword [0x302002], 0x300000
                        lidt [0x302000]
                        mov  esi, 0x40000000
                        mov  ebp, 2000000
                        again:
                        mov  eax, [rsi]
                        dec  ebp
                        jnz  again
                        jmp  over
                        handler:
                        add  rsp, 8
                        add  qword [rsp], 2
                        iretq
                        over:
                        """),
                new Program("a byte in each of 4,096 pages", """
                        mov  ebp, 8000
                        again:
                        mov  esi, 0x1000000
                        mov  ecx, 4096
                        next:
                        inc  byte [rsi]
                        add  esi, 4096
                        dec  ecx
                        jnz  next
                        dec  ebp
                        jnz  again
                        """),
                new Program("code that changes", """
                        mov  ebp, 300000
                        again:
                        mov  eax, ebp
                        mov  [patched + 1], al
                        call patched
                        add  rbx, rax
                        dec  ebp
                        jnz  again
                        jmp  over
                        align 64
                        patched:
                        mov  eax, 1
                        ret
                        over:
                        """),
                new Program("functions called once", """
                        mov  edi, 0x1000000
                        mov  ecx, 65536
                        write:
                        lea  eax, [rcx*8]
                        shl  rax, 8
                        or   rax, 0xb8
                        mov  [rdi], rax
                        mov  dword [rdi + 5], 0xc3c30148
                        add  edi, 64
                        dec  ecx
                        jnz  write
                        mov  edi, 0x1000000
                        mov  ecx, 65536
                        invoke:
                        call rdi
                        add  edi, 64
                        dec  ecx
                        jnz  invoke
                        """),
                new Program("rep movsb of 16 MiB", """
                        mov  ebp, 8
                        again:
                        mov  esi, 0x1000000
                        mov  edi, 0x2000000
                        mov  ecx, 0x1000000
                        rep movsb
                        dec  ebp
                        jnz  again
                        """, 8L << 24));
    }
}
