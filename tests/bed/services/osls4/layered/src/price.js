'use strict';

const money = require('money');

exports.handler = async ({ cents }) => ({ statusCode: 200, body: money.format(cents) });
