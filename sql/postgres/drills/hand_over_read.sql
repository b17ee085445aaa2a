SET datestyle = 'ISO'; SET intervalstyle = postgres; SET lc_monetary = 'C'; SET extra_float_digits = 3;
SET bytea_output = hex; SET row_security = off;
COPY (SELECT {columns} FROM {rows}) TO STDOUT WITH (ENCODING 'UTF8')
