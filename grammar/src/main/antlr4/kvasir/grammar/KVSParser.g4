/*
 * The sentences of KVS. Decisions are made on one token, which keeps the first parse of a process cheap; where the
 * language needs more, Layout has given the token another type. When tokens arrive here, brackets are balanced and
 * every statement and line ends in NL, also before `}`.
 */
parser grammar KVSParser;

options { tokenVocab = KVSLexer; }

// A RBRACE here belongs to a construct whose head was in error.
script : (statement | RBRACE NL?)* EOF ;

block : LBRACE statement* RBRACE ;

statement
    : semantics NL
    | vm NL
    | guest NL
    | let NL
    | function NL
    | returning NL
    | test NL
    | setup NL
    | onBlock NL
    | assertion NL
    | race NL
    | show NL
    | loop NL
    | branches NL
    | importing NL
    | operation NL
    | stray NL
    ;

// What cannot begin a statement.
stray
    : ~( SEMANTICS | VM | GUEST | LET | FN | RETURN | TEST | SETUP | ON | ASSERT | RACE | SHOW | FOR | IF | IMPORT
       | NOT | MINUS | TILDE | NUMBER | STRING | BLOCK | TAGGED | TRUE | FALSE | NAME | LPAREN | LBRACK | RECORD_OPEN
       | NL | RBRACE )
    ;

semantics : SEMANTICS semanticsName ((COMMA semanticsName)* | NAME semanticsName declaration) ;

semanticsNames : semanticsName (COMMA semanticsName)* ;

semanticsName : (NAME | VERSION) (MINUS (NAME | NUMBER | VERSION))* ;

vm : VM NAME ASSIGN NAME declaration? ;

declaration : LBRACE line* RBRACE ;

line : word argument* NL | strayInDeclaration NL ;

strayInDeclaration
    : ~( SEMANTICS | VM | GUEST | LET | FN | RETURN | TEST | SETUP | ON | ASSERT | RACE | EXPLORE | ALWAYS | NEVER
       | SOMETIMES | SHOW | FOR | IN | IF | ELSE | IMPORT | IS | SHOWS | NOT | AND | OR | TRUE | FALSE | NAME | NL
       | RBRACE )
      (~(NL | RBRACE))*
    ;

guest : GUEST NAME ASSIGN ASM_OPEN assemblyLine* RBRACE ;

let : LET NAME ASSIGN invocation ;

function : FN NAME (LPAREN | CALL_OPEN) (NAME (COMMA NAME?)*)? RPAREN (block | ASSIGN invocation) ;

returning : RETURN invocation? ;

test : TEST STRING block ;

setup : SETUP block ;

onBlock : ON semanticsNames block ;

assertion : ASSERT expression ;

race : RACE STRING LBRACE task* RBRACE (EXPLORE declaration)? clause* ;

task : KEY COLON (block | invocation) NL | strayInRace NL ;

strayInRace : ~(KEY | NL | RBRACE) (~(NL | RBRACE))* ;

clause : (ALWAYS | NEVER | SOMETIMES) invocation (COMMA invocation)* ;

show : SHOW invocation ;

loop : FOR NAME IN expression (NAME expression)? block ;

branches : IF expression block (ELSE_IF expression block)* (ELSE block)? ;

importing : IMPORT (STRING | LBRACE importedName (COMMA importedName?)* RBRACE NAME STRING) ;

importedName : NAME (NAME NAME)? ;

operation : invocation (ARROW outcome | ASSIGN invocation)? row* ;

row : ROW semanticsNames ARROW outcome ;

outcome : pattern (OR pattern)* ;

pattern : range (NAME range)* ;

invocation : expression argument* ;

// No minus in front: behind an operand it subtracts.
argument
    : TILDE* postfix ((PIPE | CARET | AMP | SHL | SHR | PLUS | MINUS | STAR | SLASH | PERCENT) unary)*
      (DOTDOT arithmetic)?
    | wordInArguments
    ;

expression : conjunction (OR conjunction)* ;

conjunction : negation (AND negation)* ;

negation : NOT* comparison ;

comparison : range ((EQ | NE | LT | LE | GT | GE) range | IS NOT? pattern | SHOWS range)? ;

range : arithmetic (DOTDOT arithmetic)? ;

arithmetic : unary ((PIPE | CARET | AMP | SHL | SHR | PLUS | MINUS | STAR | SLASH | PERCENT) unary)* ;

unary : (MINUS | TILDE)* postfix ;

postfix : primary suffix* ;

suffix
    : DOT word
    | INDEX_OPEN expression RBRACK
    | CALL_OPEN (callArgument (COMMA callArgument?)*)? RPAREN
    ;

callArgument : (KEY COLON)? expression ;

primary
    : NUMBER
    | STRING
    | BLOCK
    | TAGGED
    | TRUE
    | FALSE
    | NAME
    | LPAREN invocation RPAREN
    | LBRACK (expression (COMMA expression?)*)? RBRACK
    | RECORD_OPEN (field ((COMMA | NL) field?)*)? RBRACE
    ;

field : KEY COLON expression ;

// A reserved word is an ordinary one where no statement and no operator can stand.
word
    : NAME | SEMANTICS | VM | GUEST | LET | FN | RETURN | TEST | SETUP | ON | ASSERT | RACE | EXPLORE | ALWAYS | NEVER
    | SOMETIMES | SHOW | FOR | IN | IF | ELSE | IMPORT | IS | SHOWS | NOT | AND | OR | TRUE | FALSE
    ;

wordInArguments : SEMANTICS | VM | GUEST | TEST | SETUP | ON | RACE | SHOW | FOR | IN | IMPORT ;

// Layout has put NL behind a label.
assemblyLine
    : NAME (COLON | ASM_EQU value | ASM_DATA values | operands)? NL
    | ASM_TIMES value item NL
    | ASM_DATA values NL
    | ASM_PREFIX+ NAME operands? NL
    | strayInAssembly NL
    ;

item : ASM_DATA values | ASM_PREFIX* NAME operands? ;

strayInAssembly : ~(ASM_TIMES | ASM_DATA | ASM_PREFIX | NAME | NL | RBRACE) (~(NL | RBRACE))* ;

operands : operand (COMMA operand)* ;

operand : (ASM_SIZE | ASM_DISTANCE | ASM_PTR)* (memory | value (COLON (memory | value))?) ;

memory : LBRACK (ASM_REL | ASM_ABS)? value (COLON value)? RBRACK ;

values : value (COMMA value)* ;

value : asmUnary ((PIPE | CARET | AMP | SHL | SHR | PLUS | MINUS | STAR | SLASH | PERCENT) asmUnary)* ;

asmUnary : (MINUS | TILDE)* asmPrimary ;

asmPrimary : NUMBER | STRING | NAME | ASM_HERE | ASM_START | LPAREN value RPAREN ;
