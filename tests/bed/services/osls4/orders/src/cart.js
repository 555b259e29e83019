'use strict';

exports.total = (items) => items.reduce((sum, { price, quantity }) => sum + price * quantity, 0);
