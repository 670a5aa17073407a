DROP TABLE retry;
DROP TABLE log;
DROP TABLE spend;
DROP TABLE progress;
