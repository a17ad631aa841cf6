/*
 * Words and signs of KVS. Deliberately accepts more than is legal: a malformed number, an unclosed string and a stray
 * character are tokens too, so that Layout and TreeBuilder can tell what is wrong with them in plain words.
 */
lexer grammar KVSLexer;

// Given by Layout, which sees the neighbours of a token: `x[` and `f(` without a space, `{` of a record, `name:`,
// `on` that begins a row of outcomes, and `else if`.
tokens { INDEX_OPEN, CALL_OPEN, RECORD_OPEN, KEY, ROW, ELSE_IF }

SEMANTICS : 'semantics' ;
VM        : 'vm' ;
GUEST     : 'guest' ;
LET       : 'let' ;
FN        : 'fn' ;
RETURN    : 'return' ;
TEST      : 'test' ;
SETUP     : 'setup' ;
ON        : 'on' ;
ASSERT    : 'assert' ;
RACE      : 'race' ;
EXPLORE   : 'explore' ;
ALWAYS    : 'always' ;
NEVER     : 'never' ;
SOMETIMES : 'sometimes' ;
SHOW      : 'show' ;
FOR       : 'for' ;
IN        : 'in' ;
IF        : 'if' ;
ELSE      : 'else' ;
IMPORT    : 'import' ;
IS        : 'is' ;
SHOWS     : 'shows' ;
NOT       : 'not' ;
AND       : 'and' ;
OR        : 'or' ;
TRUE      : 'true' ;
FALSE     : 'false' ;

ASM_OPEN : 'asm' ('16' | '32' | '64') [ \t\r\n]* '{' -> pushMode(ASSEMBLY) ;

VERSION : 'v' [0-9]+ ('.' [0-9]+)+ ;
TAGGED  : [a-z] [a-z0-9_]* '"' ~["\r\n]* '"' ;
NAME    : [A-Za-z_] [A-Za-z0-9_]* ;
NUMBER  : [0-9] [0-9A-Za-z_]* ;

BLOCK           : '"""' QUOTED '"""' ;
UNCLOSED_BLOCK  : '"""' QUOTED ;
STRING          : '"' (~["\\\r\n] | '\\' ~[\r\n])* '"' ;
UNCLOSED_STRING : '"' (~["\\\r\n] | '\\' ~[\r\n])* '\\'? ;
fragment QUOTED : (~["] | '"' ~["] | '""' ~["])* ;

ARROW   : '->' ;
DOTDOT  : '..' ;
DOT     : '.' ;
COMMA   : ',' ;
COLON   : ':' ;
ASSIGN  : '=' ;
EQ      : '==' ;
NE      : '!=' ;
LT      : '<' ;
LE      : '<=' ;
GT      : '>' ;
GE      : '>=' ;
SHL     : '<<' ;
SHR     : '>>' ;
PIPE    : '|' ;
CARET   : '^' ;
AMP     : '&' ;
PLUS    : '+' ;
MINUS   : '-' ;
STAR    : '*' ;
SLASH   : '/' ;
PERCENT : '%' ;
TILDE   : '~' ;
LPAREN  : '(' ;
RPAREN  : ')' ;
LBRACK  : '[' ;
RBRACK  : ']' ;
LBRACE  : '{' ;
RBRACE  : '}' ;

// Spelt as in other languages; Layout names the KVS spelling and goes on with it.
FOREIGN         : '&&' | '||' | '!' | ';' | '===' | '!==' | '...' | '..=' ;
FOREIGN_STRING  : '\'' ~['\r\n]* '\'' ;
FOREIGN_COMMENT : '/*' .*? '*/' | '#' ~[\r\n]* ;

COMMENT : '//' ~[\r\n]* ;
NL      : '\r'? '\n' ;
WS      : [ \t\r\f\uFEFF]+ -> skip ;
UNKNOWN : . ;

mode ASSEMBLY;

ASM_PREFIX options { caseInsensitive = true; } :
    'lock' | 'rep' | 'repe' | 'repz' | 'repne' | 'repnz' | 'o16' | 'o32' | 'o64' | 'a16' | 'a32' | 'a64' ;
ASM_SIZE options { caseInsensitive = true; } :
    'byte' | 'word' | 'dword' | 'fword' | 'qword' | 'tbyte' | 'tword' | 'xmmword' | 'oword' | 'ymmword' | 'yword' ;
ASM_DISTANCE options { caseInsensitive = true; } : 'short' | 'near' | 'far' ;
ASM_PTR options { caseInsensitive = true; }      : 'ptr' ;
ASM_REL options { caseInsensitive = true; }      : 'rel' ;
ASM_ABS options { caseInsensitive = true; }      : 'abs' ;
ASM_DATA options { caseInsensitive = true; }     : 'db' | 'dw' | 'dd' | 'dq' ;
ASM_TIMES options { caseInsensitive = true; }    : 'times' ;
ASM_EQU options { caseInsensitive = true; }      : 'equ' ;
ASM_HERE  : '$' ;
ASM_START : '$$' ;

ASM_ST options { caseInsensitive = true; } : 'st' [ ]* '(' [0-7] ')' -> type(NAME) ;
ASM_NAME        : [A-Za-z_.?@] [A-Za-z0-9_.?@$]* -> type(NAME) ;
ASM_NUMBER      : [0-9] [0-9A-Za-z_]* -> type(NUMBER) ;
ASM_STRING      : ('"' (~["\\\r\n] | '\\' ~[\r\n])* '"' | '\'' (~['\\\r\n] | '\\' ~[\r\n])* '\'') -> type(STRING) ;
ASM_UNCLOSED    : ('"' ~["\r\n]* | '\'' ~['\r\n]*) -> type(UNCLOSED_STRING) ;
ASM_COMMA       : ',' -> type(COMMA) ;
ASM_COLON       : ':' -> type(COLON) ;
ASM_SHL         : '<<' -> type(SHL) ;
ASM_SHR         : '>>' -> type(SHR) ;
ASM_PIPE        : '|' -> type(PIPE) ;
ASM_CARET       : '^' -> type(CARET) ;
ASM_AMP         : '&' -> type(AMP) ;
ASM_PLUS        : '+' -> type(PLUS) ;
ASM_MINUS       : '-' -> type(MINUS) ;
ASM_STAR        : '*' -> type(STAR) ;
ASM_SLASH       : '/' -> type(SLASH) ;
ASM_PERCENT     : '%' -> type(PERCENT) ;
ASM_TILDE       : '~' -> type(TILDE) ;
ASM_LPAREN      : '(' -> type(LPAREN) ;
ASM_RPAREN      : ')' -> type(RPAREN) ;
ASM_LBRACK      : '[' -> type(LBRACK) ;
ASM_RBRACK      : ']' -> type(RBRACK) ;
ASM_CLOSE       : '}' -> type(RBRACE), popMode ;
ASM_COMMENT     : (';' | '//') ~[\r\n]* -> type(COMMENT) ;
ASM_NL          : '\r'? '\n' -> type(NL) ;
ASM_WS          : [ \t\r\f]+ -> skip ;
ASM_UNKNOWN     : . -> type(UNKNOWN) ;
